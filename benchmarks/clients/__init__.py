"""Clients to measure: each in its own environment, each counts its own CPU and prints it in JSON."""
