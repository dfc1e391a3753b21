"""The stores in memory: the reference that every other adapter is compared with in tests and simulations."""
