"""A distribution of images, pixel by pixel, by a convolutional network."""
import numpy as _numpy

from ..engine import numpy as np
from ..engine import random, tree
from ..engine.avals import broadcast_shapes, promote_types
from ..engine.control import scan
from ..engine.errors import ParameterError, ShapeError
from ..engine.ops.elementwise import softplus
from ..engine.scipy import special
from . import constraints
from .distribution import Distribution
from .pixel_cnn_network import Layout
from .record import child, static


class PixelCNN(Distribution):
    """Images of integers low … high, the pixels in the order of reading, each given those above and to the left.

        log p(x) = Σ_pixels log Σₖ πₖ Π_channels P(x_c | m_kc, s_kc),  P the mass of a logistic number, rounded
        m_kc = location + Σ_{b < c} coefficient_kcb x_b          π, locations, s, coefficients : from a network

    weights : what the network has learnt, a tree of arrays that `grad` goes through; `init` draws them
    layout : of the network      image_shape : (height, width, channels)
    context : float[*batch, size], what the images may depend on, if the network has been made for it: `given(context)`
    sample : int[*shape, *batch, height, width, channels]; it evaluates the network once for each pixel
    Of TFP's there are no dropout and no weight normalisation.
    Source: Salimans, Karpathy, Chen & Kingma (2017), "PixelCNN++", sections 2.1 to 2.5.

    >>> d = PixelCNN.init(random.key(0), (4, 4, 1), num_resnet=1, num_hierarchies=2, num_filters=4, high=3)
    >>> d.log_prob(np.zeros((10, 4, 4, 1))).shape
    (10,)
    """
    weights: dict = child()
    layout: Layout = static()
    image_shape: tuple = static()
    low: int = static(default=0)
    high: int = static(default=255)
    context: object = child(default=None)
    is_discrete = True

    @classmethod
    def init(cls, key, image_shape, context_size=0, num_resnet=5, num_hierarchies=3, num_filters=160,
             num_logistic_mix=10, receptive_field_dims=(3, 3), high=255, low=0):
        """With random weights; names as TFP's."""
        image_shape, field = tuple(image_shape), tuple(receptive_field_dims)
        if len(image_shape) != 3:
            raise ShapeError(f"PixelCNN: image_shape must be (height, width, channels); got {image_shape}.")
        if field[0] < 2 or field[1] < 3 or field[1] % 2 == 0:
            raise ParameterError("PixelCNN: receptive_field_dims must be at least (2, 3), the second an odd number; "
                                 f"got {field}.")
        c = image_shape[-1]
        outputs = num_logistic_mix * (1 + 2 * c + c * (c - 1) // 2)
        layout = Layout(c, outputs, num_filters, num_resnet, num_hierarchies, field, context_size)
        return cls(layout.draw(key), layout, image_shape, low, high)

    def given(self, context):
        """The distribution for a context, or one for each of a batch."""
        context = np.asarray(context)
        if not self.layout.context or context.shape[-1:] != (self.layout.context,):
            raise ShapeError(f"PixelCNN: the network takes contexts of shape [..., {self.layout.context}]; got "
                             f"{context.shape}.\nMake it for them: PixelCNN.init(..., context_size=n).")
        return PixelCNN(self.weights, self.layout, self.image_shape, self.low, self.high, context)

    @property
    def batch_shape(self):
        return () if self.context is None else tuple(self.context.shape[:-1])

    @property
    def event_shape(self):
        return self.image_shape

    @property
    def dtype(self):
        return promote_types(*tree.leaves(self.weights)[:1])

    @property
    def support(self):
        return constraints.independent(constraints.integer_interval(self.low, self.high), 3)

    # ---- what the network says of each pixel ----

    def _parameters(self, x):
        """log π [N, h, w, k], locations and log scales [N, h, w, k, c], coefficients [N, h, w, k, c (c - 1) / 2].

        x : float[*lead, h, w, c], in [-1, 1], with all leading axes made one
        """
        h = None
        if self.context is not None:
            lead = x.shape[:-3]
            h = np.broadcast_to(self.context, (*lead, self.context.shape[-1])).reshape((-1, self.context.shape[-1]))
        elif self.layout.context:
            raise ParameterError("PixelCNN: the network was made for a context: write d.given(context).log_prob(x).")
        out = self.layout(self.weights, x.reshape((-1, *self.image_shape)), h)
        c = self.image_shape[-1]
        out = out.reshape((*out.shape[:-1], -1, 1 + 2 * c + c * (c - 1) // 2))
        logits, loc, log_scale, coefficients = np.split(out, [1, 1 + c, 1 + 2 * c], -1)
        return (special.log_softmax(logits[..., 0], -1), loc, np.maximum(log_scale, -7.0), np.tanh(coefficients))

    def _scaled(self, value):
        """Pixels as numbers in [-1, 1]."""
        return (np.astype(value, self.dtype) - self.low) * (2.0 / (self.high - self.low)) - 1.0

    def log_prob_inside(self, value):
        lead = broadcast_shapes(value.shape[:-3], self.batch_shape)
        value = np.broadcast_to(value, (*lead, *self.image_shape))
        x = self._scaled(value)
        log_weights, loc, log_scale, coefficients = self._parameters(x)
        x = x.reshape((-1, *self.image_shape))[..., None, :]              # an axis for the components
        total = log_weights
        for c in range(self.image_shape[-1]):
            mean = loc[..., c] + self._leaning(coefficients, c, [x[..., b] for b in range(c)])
            total = total + self._log_mass(x[..., c], mean, log_scale[..., c])
        return np.sum(special.logsumexp(total, axis=-1), (-1, -2)).reshape(lead)

    @staticmethod
    def _leaning(coefficients, c, earlier):
        """What the earlier channels add to the location of channel c."""
        first = c * (c - 1) // 2
        return sum((coefficients[..., first + b] * x for b, x in enumerate(earlier)), 0.0)

    def _log_mass(self, x, mean, log_scale):
        """log P(x) of a logistic number rounded to one of the values; all beyond the ends belongs to them.

        σ(b) - σ(a) = σ(b) σ(-a) (1 - exp(a - b)): nothing cancels
        """
        half, slope = 1.0 / (self.high - self.low), np.exp(-log_scale)
        a, b = (x - mean - half) * slope, (x - mean + half) * slope
        lowest, highest = x < -1.0 + half, x > 1.0 - half
        below, above = -softplus(-b), -softplus(a)
        inside = np.log(-np.expm1(-2.0 * half * slope))
        return np.where(highest, 0.0, below) + np.where(lowest, 0.0, above) + np.where(
            np.logical_or(lowest, highest), 0.0, inside)

    # ---- draws ----

    def sample(self, key, sample_shape=()):
        height, width, channels = self.image_shape
        lead = (*sample_shape, *self.batch_shape)
        place = _numpy.arange(height * width).reshape(height, width, 1)

        def step(image, ki):
            k, i = ki
            log_weights, *others = self._parameters(image)
            at = (i // width, i % width)
            pixel = self._pixel(k, lead, *[x[:, at[0], at[1]] for x in (log_weights, *others)])
            return np.where(place == i, pixel[..., None, None, :], image), None
        start = np.zeros((*lead, *self.image_shape), self.dtype)
        image = scan(step, start, (random.split(key, height * width), _numpy.arange(height * width)))[0]
        levels = np.round((image + 1.0) * (0.5 * (self.high - self.low))) + self.low
        return np.astype(levels, np.int64)

    def _pixel(self, key, lead, log_weights, loc, log_scale, coefficients):
        """The channels of one pixel, in [-1, 1]: float[*lead, c]."""
        first, second = random.split(key)
        k = random.categorical(first, log_weights, -1)[:, None, None]
        loc, log_scale, coefficients = (np.take_along_axis(x, np.broadcast_to(k, (*k.shape[:2], x.shape[-1])), -2)[:, 0]
                                        for x in (loc, log_scale, coefficients))
        noise, step = random.logistic(second, loc.shape, loc.dtype), 2.0 / (self.high - self.low)
        drawn = []
        for c in range(self.image_shape[-1]):
            x = loc[..., c] + self._leaning(coefficients, c, drawn) + np.exp(log_scale[..., c]) * noise[..., c]
            drawn.append(np.clip(np.round((x + 1.0) / step) * step - 1.0, -1.0, 1.0))
        return np.stack(drawn, -1).reshape((*lead, -1))
