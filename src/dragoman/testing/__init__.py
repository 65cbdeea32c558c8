"""What authors of agents and of backends test with."""
