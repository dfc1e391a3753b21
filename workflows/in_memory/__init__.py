"""The stores in memory: the reference for every other adapter, also used by the simulation."""
