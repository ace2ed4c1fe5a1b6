"""The command line, a room for each verb."""
