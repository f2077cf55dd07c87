"""Sets that values and parameters lie in: `positive`, `interval(0, 5)`, `simplex`, …

A constraint is called with an array and says, for each event, whether it lies in the set: a constraint with
`event_dim` n looks at the last n axes. Those with bounds are pytrees, so bounds may be traced. `biject_to`
(in `transforms`) gives the bijection from unconstrained vectors to a continuous set.

    >>> from chainrule.distributions import constraints
    >>> constraints.interval(0.0, 2.0)([-1.0, 1.0])
    Array([False,  True])
"""
from .base import (
    AffineImage,
    Cat,
    Constraint,
    Dependent,
    Independent,
    Stack,
    cat,
    dependent,
    independent,
    is_dependent,
    stack,
)
from .integers import (
    IntegerGreaterThan,
    IntegerInterval,
    Multinomial,
    boolean,
    integer,
    integer_greater_than,
    integer_interval,
    multinomial,
    nonnegative_integer,
    one_hot,
    positive_integer,
)
from .matrices import (
    corr_cholesky,
    corr_matrix,
    lower_cholesky,
    lower_triangular,
    positive_definite,
    positive_semidefinite,
    scaled_unit_lower_cholesky,
    softplus_lower_cholesky,
    square,
    symmetric,
    unit_lower_cholesky,
)
from .numbers import (
    GreaterThan,
    GreaterThanEq,
    HalfOpenInterval,
    Interval,
    LessThan,
    LessThanEq,
    OpenInterval,
    circular,
    complex,
    greater_than,
    greater_than_eq,
    half_open_interval,
    interval,
    less_than,
    less_than_eq,
    negative,
    nonnegative,
    offset_multiplier,
    open_interval,
    positive,
    real,
    real_matrix,
    real_vector,
    softplus_positive,
    unit_interval,
)
from .vectors import (
    PartiallyOrdered,
    PositiveDefiniteCirculantVector,
    ZeroSum,
    column_stochastic,
    l1_ball,
    ordered_vector,
    partially_ordered,
    positive_definite_circulant_vector,
    positive_ordered_vector,
    row_stochastic,
    simplex,
    sphere,
    zero_sum,
)

__all__ = [
    "AffineImage", "Cat", "Constraint", "Dependent", "GreaterThan", "GreaterThanEq", "HalfOpenInterval",
    "Independent", "IntegerGreaterThan", "IntegerInterval", "Interval", "LessThan", "LessThanEq", "Multinomial",
    "OpenInterval", "PartiallyOrdered", "PositiveDefiniteCirculantVector", "Stack", "ZeroSum", "boolean", "cat",
    "circular", "column_stochastic", "complex", "corr_cholesky", "corr_matrix", "dependent", "greater_than",
    "greater_than_eq", "half_open_interval", "independent", "integer", "integer_greater_than", "integer_interval",
    "interval", "is_dependent", "l1_ball", "less_than", "less_than_eq", "lower_cholesky", "lower_triangular",
    "multinomial", "negative", "nonnegative", "nonnegative_integer", "offset_multiplier", "one_hot", "open_interval",
    "ordered_vector", "partially_ordered", "positive", "positive_definite", "positive_definite_circulant_vector",
    "positive_integer", "positive_ordered_vector", "positive_semidefinite", "real", "real_matrix", "real_vector",
    "row_stochastic", "scaled_unit_lower_cholesky", "simplex", "softplus_lower_cholesky", "softplus_positive",
    "sphere", "square", "stack", "symmetric", "unit_interval", "unit_lower_cholesky", "zero_sum",
]
