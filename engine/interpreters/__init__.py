"""The interpreters, one file each: evaluate, stage, jvp, linearize, transpose, batch, lower."""
