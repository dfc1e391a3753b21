"""Payments, kitchens and couriers that run here: real counterparties with ledgers of their own, and no money."""
