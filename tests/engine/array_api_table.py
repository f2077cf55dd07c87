"""The Python array API standard, 2024.12: names and signatures, and the special cases of its element-wise functions.

Written from the text of the standard (data-apis.org/array-api/2024.12). `/` and `*` are as in Python; a name that
stands before `/` may have another name here.
"""
FUNCTIONS = """
arange(start, /, stop=None, step=1, *, dtype=None, device=None)
asarray(obj, /, *, dtype=None, device=None, copy=None)
empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None)
full_like(x, /, fill_value, *, dtype=None, device=None)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
meshgrid(*arrays, indexing='xy')
ones(shape, *, dtype=None, device=None)
ones_like(x, /, *, dtype=None, device=None)
tril(x, /, *, k=0)
triu(x, /, *, k=0)
zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
astype(x, dtype, /, *, copy=True, device=None)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
abs(x, /)
acos(x, /)
acosh(x, /)
add(x1, x2, /)
asin(x, /)
asinh(x, /)
atan(x, /)
atan2(x1, x2, /)
atanh(x, /)
bitwise_and(x1, x2, /)
bitwise_left_shift(x1, x2, /)
bitwise_invert(x, /)
bitwise_or(x1, x2, /)
bitwise_right_shift(x1, x2, /)
bitwise_xor(x1, x2, /)
ceil(x, /)
clip(x, /, min=None, max=None)
conj(x, /)
copysign(x1, x2, /)
cos(x, /)
cosh(x, /)
divide(x1, x2, /)
equal(x1, x2, /)
exp(x, /)
expm1(x, /)
floor(x, /)
floor_divide(x1, x2, /)
greater(x1, x2, /)
greater_equal(x1, x2, /)
hypot(x1, x2, /)
imag(x, /)
isfinite(x, /)
isinf(x, /)
isnan(x, /)
less(x1, x2, /)
less_equal(x1, x2, /)
log(x, /)
log1p(x, /)
log2(x, /)
log10(x, /)
logaddexp(x1, x2, /)
logical_and(x1, x2, /)
logical_not(x, /)
logical_or(x1, x2, /)
logical_xor(x1, x2, /)
maximum(x1, x2, /)
minimum(x1, x2, /)
multiply(x1, x2, /)
negative(x, /)
nextafter(x1, x2, /)
not_equal(x1, x2, /)
positive(x, /)
pow(x1, x2, /)
real(x, /)
reciprocal(x, /)
remainder(x1, x2, /)
round(x, /)
sign(x, /)
signbit(x, /)
sin(x, /)
sinh(x, /)
square(x, /)
sqrt(x, /)
subtract(x1, x2, /)
tan(x, /)
tanh(x, /)
trunc(x, /)
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
__array_namespace_info__()
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes=2)
vecdot(x1, x2, /, *, axis=-1)
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis=0)
expand_dims(x, /, *, axis=0)
flip(x, /, *, axis=None)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
roll(x, /, shift, *, axis=None)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
tile(x, repetitions, /)
unstack(x, /, *, axis=0)
argmax(x, /, *, axis=None, keepdims=False)
argmin(x, /, *, axis=None, keepdims=False)
count_nonzero(x, /, *, axis=None, keepdims=False)
nonzero(x, /)
searchsorted(x1, x2, /, *, side='left', sorter=None)
where(condition, x1, x2, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis=-1, descending=False, stable=True)
sort(x, /, *, axis=-1, descending=False, stable=True)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, axis=None, keepdims=False)
mean(x, /, *, axis=None, keepdims=False)
min(x, /, *, axis=None, keepdims=False)
prod(x, /, *, axis=None, dtype=None, keepdims=False)
std(x, /, *, axis=None, correction=0.0, keepdims=False)
sum(x, /, *, axis=None, dtype=None, keepdims=False)
var(x, /, *, axis=None, correction=0.0, keepdims=False)
all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
""".strip().splitlines()
METHODS = """
__abs__() __array_namespace__(*,api_version=None) __bool__() __complex__() __dlpack_device__() __float__() __index__()
__dlpack__(*,stream=None,max_version=None,dl_device=None,copy=None) __getitem__(key,/) __int__() __invert__() __neg__()
__pos__() __setitem__(key,value,/) to_device(device,/,*,stream=None)
""".split()
BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
METHODS += [f"__{name}__(other,/)" for name in "eq ne lt le gt ge".split()]
METHODS += [f"__{side}{name}__(other,/)" for name in BINARY for side in ("", "i", "r")]
ATTRIBUTES = "dtype device mT ndim shape size T".split()
CONSTANTS = "e inf nan newaxis pi __array_api_version__".split()
DTYPES = ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128").split()

# Special cases of real floating arguments: "x, y -> result". ~ stands before results that are equal to a few units in
# the last place; others are exact, with the sign of zero.
SPECIAL = """
abs: nan -> nan; -0 -> 0; -inf -> inf; 0 -> 0; inf -> inf
acos: nan -> nan; 1.5 -> nan; -1.5 -> nan; inf -> nan; 1 -> 0
acosh: nan -> nan; 0.5 -> nan; -inf -> nan; 1 -> 0; inf -> inf
add: nan,1 -> nan; 1,nan -> nan; nan,inf -> nan; inf,-inf -> nan; -inf,inf -> nan; inf,inf -> inf; -inf,-inf -> -inf
add: inf,2 -> inf; -inf,2 -> -inf; 2,inf -> inf; 2,-inf -> -inf; -0,-0 -> -0; -0,0 -> 0; 0,-0 -> 0; 0,0 -> 0
add: 0,3 -> 3; -0,-3 -> -3; 3,-0 -> 3; 3,-3 -> 0; -3,3 -> 0
asin: nan -> nan; 1.5 -> nan; -1.5 -> nan; 0 -> 0; -0 -> -0
asinh: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -inf
atan: nan -> nan; 0 -> 0; -0 -> -0; inf -> ~pi/2; -inf -> ~-pi/2
atan2: nan,1 -> nan; 1,nan -> nan; 2,0 -> ~pi/2; 2,-0 -> ~pi/2; 0,2 -> 0; 0,0 -> 0; 0,-0 -> ~pi; 0,-2 -> ~pi; -0,2 -> -0
atan2: -0,0 -> -0; -0,-0 -> ~-pi; -0,-2 -> ~-pi; -2,0 -> ~-pi/2; -2,-0 -> ~-pi/2; 2,inf -> 0; 2,-inf -> ~pi
atan2: -2,inf -> -0; -2,-inf -> ~-pi; inf,2 -> ~pi/2; -inf,2 -> ~-pi/2; inf,inf -> ~pi/4; inf,-inf -> ~3*pi/4
atan2: -inf,inf -> ~-pi/4; -inf,-inf -> ~-3*pi/4
atanh: nan -> nan; -1.5 -> nan; 1.5 -> nan; -1 -> -inf; 1 -> inf; 0 -> 0; -0 -> -0
ceil: inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan; 3 -> 3; -0.5 -> -0; 0.5 -> 1
copysign: 2,-0 -> -2; 2,0 -> 2; -2,0 -> 2; -2,-3 -> -2; 0,-1 -> -0; inf,-1 -> -inf; nan,1 -> nan; 2,inf -> 2
copysign: 2,-inf -> -2
cos: nan -> nan; 0 -> 1; -0 -> 1; inf -> nan; -inf -> nan
cosh: nan -> nan; 0 -> 1; -0 -> 1; inf -> inf; -inf -> inf
divide: nan,1 -> nan; 1,nan -> nan; inf,inf -> nan; inf,-inf -> nan; 0,0 -> nan; 0,-0 -> nan; 0,2 -> 0; -0,2 -> -0
divide: 0,-2 -> -0; -0,-2 -> 0; 2,0 -> inf; 2,-0 -> -inf; -2,0 -> -inf; -2,-0 -> inf; inf,2 -> inf; inf,-2 -> -inf
divide: -inf,2 -> -inf; -inf,-2 -> inf; 2,inf -> 0; 2,-inf -> -0; -2,inf -> -0; -2,-inf -> 0
exp: nan -> nan; 0 -> 1; -0 -> 1; inf -> inf; -inf -> 0
expm1: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -1
floor: inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan; -3 -> -3; 0.5 -> 0; -0.5 -> -1
floor_divide: nan,1 -> nan; 1,nan -> nan; inf,inf -> nan; inf,-inf -> nan; 0,0 -> nan; -0,0 -> nan; 0,2 -> 0; -0,2 -> -0
floor_divide: 0,-2 -> -0; -0,-2 -> 0; 2,0 -> inf; 2,-0 -> -inf; -2,0 -> -inf; -2,-0 -> inf; 2,inf -> 0; 2,-inf -> -1
floor_divide: -2,inf -> -1; -2,-inf -> 0; 7,2 -> 3; -7,2 -> -4; 1,0.1 -> 9
hypot: inf,nan -> inf; nan,inf -> inf; -inf,nan -> inf; inf,2 -> inf; 2,-inf -> inf; nan,2 -> nan; 2,nan -> nan
hypot: 0,0 -> 0; -0,0 -> 0; 3,-4 -> 5; -0,-3 -> 3
isfinite: nan -> False; inf -> False; -inf -> False; 1 -> True; -0 -> True
isinf: nan -> False; inf -> True; -inf -> True; 1 -> False
isnan: nan -> True; inf -> False; -inf -> False; 1 -> False
log: nan -> nan; -1 -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf; -inf -> nan
log1p: nan -> nan; -2 -> nan; -1 -> -inf; -0 -> -0; 0 -> 0; inf -> inf
log2: nan -> nan; -1 -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf; 8 -> 3
log10: nan -> nan; -1 -> nan; 0 -> -inf; -0 -> -inf; 1 -> 0; inf -> inf; 1000 -> ~3
logaddexp: nan,1 -> nan; 1,nan -> nan; inf,1 -> inf; 1,inf -> inf; -inf,1 -> 1; 1,-inf -> 1; -inf,-inf -> -inf
logaddexp: inf,inf -> inf; inf,-inf -> inf; nan,inf -> nan
logical_and: nan,1 -> True; nan,0 -> False; -0,1 -> False
logical_not: nan -> False; -0 -> True
logical_or: nan,0 -> True; -0,0 -> False
logical_xor: nan,0 -> True; nan,1 -> False
maximum: nan,1 -> nan; 1,nan -> nan; inf,1 -> inf; -inf,1 -> 1; nan,inf -> nan
minimum: nan,1 -> nan; 1,nan -> nan; inf,1 -> 1; -inf,1 -> -inf; nan,-inf -> nan
multiply: nan,1 -> nan; 1,nan -> nan; inf,0 -> nan; -inf,0 -> nan; 0,inf -> nan; inf,inf -> inf; inf,-inf -> -inf
multiply: -inf,-inf -> inf; inf,2 -> inf; inf,-2 -> -inf; -2,inf -> -inf; 0,-2 -> -0; -0,-2 -> 0; -0,2 -> -0; 0,0 -> 0
negative: 0 -> -0; -0 -> 0; inf -> -inf; nan -> nan
nextafter: nan,1 -> nan; 1,nan -> nan; 2,2 -> 2; 0,-0 -> -0; -0,0 -> 0; inf,inf -> inf
pow: 2,nan -> nan; nan,0 -> 1; nan,-0 -> 1; 2,0 -> 1; inf,0 -> 1; nan,2 -> nan; 2,inf -> inf; -2,inf -> inf; 2,-inf -> 0
pow: -2,-inf -> 0; 1,inf -> 1; 1,-inf -> 1; -1,inf -> 1; -1,-inf -> 1; 1,3.5 -> 1; 0.5,inf -> 0; -0.5,inf -> 0
pow: 0.5,-inf -> inf; -0.5,-inf -> inf; inf,2 -> inf; inf,-2 -> 0; -inf,3 -> -inf; -inf,2 -> inf; -inf,2.5 -> inf
pow: -inf,-3 -> -0; -inf,-2 -> 0; -inf,-2.5 -> 0; 0,2 -> 0; 0,-2 -> inf; 0,-3 -> inf; -0,3 -> -0; -0,2 -> 0; -0,2.5 -> 0
pow: -0,-3 -> -inf; -0,-2 -> inf; -0,-2.5 -> inf; -2,0.5 -> nan; -2,3 -> -8; 0,inf -> 0; 0,-inf -> inf; inf,inf -> inf
reciprocal: nan -> nan; inf -> 0; -inf -> -0; 0 -> inf; -0 -> -inf
remainder: nan,1 -> nan; 1,nan -> nan; inf,inf -> nan; inf,2 -> nan; -inf,2 -> nan; 2,0 -> nan; 2,-0 -> nan; 0,0 -> nan
remainder: 0,2 -> 0; -0,2 -> 0; 0,-2 -> -0; -0,-2 -> -0; 2,inf -> 2; 2,-inf -> -inf; -2,inf -> inf; -2,-inf -> -2
remainder: 4,2 -> 0; -4,2 -> 0; 4,-2 -> -0; -4,-2 -> -0; 5,-3 -> -1; -5,3 -> 1
round: nan -> nan; inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; 0.5 -> 0; 1.5 -> 2; -0.5 -> -0; -1.5 -> -2; 2.5 -> 2
sign: nan -> nan; 0 -> 0; -0 -> 0; inf -> 1; -inf -> -1; -3 -> -1
signbit: 0 -> False; -0 -> True; inf -> False; -inf -> True; 2 -> False; -2 -> True; nan -> False; -nan -> True
sin: nan -> nan; 0 -> 0; -0 -> -0; inf -> nan; -inf -> nan
sinh: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -inf
sqrt: nan -> nan; -1 -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> nan
square: nan -> nan; inf -> inf; -inf -> inf; -0 -> 0
subtract: inf,inf -> nan; inf,-inf -> inf; nan,1 -> nan; 0,0 -> 0; -0,0 -> -0; 0,-0 -> 0; 3,inf -> -inf; -inf,3 -> -inf
tan: nan -> nan; 0 -> 0; -0 -> -0; inf -> nan; -inf -> nan
tanh: nan -> nan; 0 -> 0; -0 -> -0; inf -> 1; -inf -> -1
trunc: inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan; 3 -> 3; -0.5 -> -0; 0.5 -> 0; -2.7 -> -2
"""
