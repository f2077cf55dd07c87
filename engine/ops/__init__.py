"""The primitives, one file a family, each primitive with all of its rules in one place."""
