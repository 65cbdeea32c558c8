"""Where the time goes: a loaded server or client sampled from outside, a flame graph and the hottest of our functions."""
