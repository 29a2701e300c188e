//! Bundles of compiled models, and their scoring. Knows no Python.
