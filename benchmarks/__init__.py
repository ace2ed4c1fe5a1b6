"""Side by side: termsplit, its peers, and the least that Python can charge. Run by `make bench`."""
