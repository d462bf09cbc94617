"""How long counted instructions take on a CPU that is not here: python -m tools.cost_model."""
