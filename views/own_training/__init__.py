"""The page of a training of the user's own, which only their own machine has."""
