"""Side by side: termsplit, its peers, and the least that Python can charge. Run by `make bench`.

Each module imports only from those above it:

    workloads       the streams of bytes, what must come out of them, how they are cut
    candidates      who takes part in reading them: ours, peers, limits; bare, a machine with the faces alone, and
                    contracts, the same with what the contracts ask of it
                    (callbacks, readers: the programs that several of them run)
    sockets         a loopback connection, and who can serve it: backends (ours), servers (the peers);
                    remote, the process at its other end
    measure         takes the times, candidates in turn, each checked before its time is believed
    streams         what is measured: reading in memory,
    ladder                            what a chunk or record costs, step by step,
    loopback                          receiving and echoing on sockets,
    output                            pushes and producers,
    footprint                         memory of idle connections (idle: the program that makes them), and import
    results         reads a run back
    figures         the ratios that termsplit is held to
    check           no times: right answers, and linear by count
    report, page    a run as tables on the terminal, and as the documentation's page
    __main__        the command line
"""
