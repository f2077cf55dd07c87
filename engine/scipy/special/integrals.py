"""Exponential, sine, cosine and Fresnel integrals, the dilogarithm, and Lambert's W."""
from ...ops.expint import exp1, expi, expn
from ...ops.integrals import fresnel, shichi, sici, spence
from ...ops.lambertw import lambertw

__all__ = ["exp1", "expi", "expn", "fresnel", "lambertw", "shichi", "sici", "spence"]
