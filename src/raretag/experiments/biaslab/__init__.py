"""The bias lab: labels drawn at random with known probabilities, and what training makes of these."""
