"""Asks two real accounts which reading of AWS's documents holds."""
