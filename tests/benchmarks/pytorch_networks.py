"""The networks of models/networks/*.toml as PyTorch modules: the same layers in the same order, written the way PyTorch
wants them (NCHW images, nn.LSTM, batched products in attention). So a comparison is of the same network by construction."""
import math
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

FOLDER = Path(__file__).resolve().parents[2] / "models" / "networks"


def read_layers(name):
    """(description, layers): blocks placed, as dicts with full names, `input` and `skip` resolved to full names."""
    description = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    layers = []
    for entry in description["network"]["layers"]:
        if "block" not in entry:
            layers.append({**entry})
            continue
        first, repeat = entry.get("first", 1), entry.get("repeat")
        for index in range(first, first + (repeat or 1)):
            prefix = f"{entry['name']}.{index}." if repeat or "first" in entry else f"{entry['name']}."
            layers += place(description["blocks"][entry["block"]], entry, prefix, layers[-1]["name"] if layers else None)
    return description["network"], layers


def place(block, entry, prefix, before):
    siblings = {layer["name"] for layer in block}
    width = entry.get("width", 1)
    placed = []
    for layer in block:
        layer = {**layer, "name": prefix + layer["name"]}
        for size in ("units", "filters"):
            if size in layer:
                layer[size] *= width
        if layer.pop("strided", False):
            layer["stride"] = entry.get("stride", 1)
        for reference in ("input", "skip"):
            if layer.get(reference) == "block":
                layer[reference] = before
            elif layer.get(reference) in siblings:
                layer[reference] = prefix + layer[reference]
        placed.append(layer)
    return placed


class Lambda(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *operands):
        return self.function(*operands)


class Embedding(nn.Module):
    def __init__(self, layer, tokens):
        super().__init__()
        self.words = nn.Embedding(layer["vocabulary"], layer["units"])
        nn.init.normal_(self.words.weight, std=0.02)
        positions = layer.get("positions", 0)
        self.positions = nn.Parameter(0.02 * torch.randn(positions, layer["units"])) if positions else None
        self.tokens = tokens

    def forward(self, x):
        y = self.words(x)
        return y if self.positions is None else y + self.positions[: self.tokens]


class Positions(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn(tokens, width))

    def forward(self, x):
        return x + self.table


class Attention(nn.Module):
    """As nn.MultiheadAttention computes it in training, between its two projections: queries scaled, one baddbmm with the
    mask, softmax, bmm."""

    def __init__(self, layer, tokens):
        super().__init__()
        self.heads = layer["heads"]
        if layer.get("kv_heads", self.heads) != self.heads:
            raise NotImplementedError("grouped queries")
        mask = torch.full((tokens, tokens), -math.inf).triu(1) if layer.get("causal", False) else None
        self.register_buffer("mask", mask)

    def forward(self, x):
        batch, tokens, width = x.shape
        size = width // (3 * self.heads)
        x = x.view(batch, tokens, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        query, key, value = (part.reshape(batch * self.heads, tokens, size) for part in x)
        query = query / math.sqrt(size)
        if self.mask is None:
            scores = torch.bmm(query, key.transpose(1, 2))
        else:
            scores = torch.baddbmm(self.mask, query, key.transpose(1, 2))
        y = torch.bmm(scores.softmax(-1), value)
        return y.view(batch, self.heads, tokens, size).transpose(1, 2).reshape(batch, tokens, width // 3)


class Recurrent(nn.Module):
    def __init__(self, kind, width, units):
        super().__init__()
        self.layer = kind(width, units, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0]


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.scale * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def convolution(layer, x, kind=nn.Conv2d):
    channels = x.shape[1]
    groups = channels if layer.get("depthwise") else layer.get("groups", 1)
    return kind(channels, layer.get("filters", channels), layer.get("kernel", 1), layer.get("stride", 1),
                layer.get("padding", 0), groups=groups, bias=layer.get("bias", True))


def pool(kind):
    def make(layer, x):
        return kind(layer["kernel"], layer.get("stride", layer["kernel"]), layer.get("padding", 0))
    return make


def view(function):
    return lambda layer, x: Lambda(function)


def is_image(x):
    return x.dim() == 4


MAKERS = {
    "dense": lambda layer, x: nn.Linear(x.shape[-1], layer["units"], bias=layer.get("bias", True)),
    "convolution": convolution,
    "transposed_convolution": lambda layer, x: convolution(layer, x, nn.ConvTranspose2d),
    "max_pool": pool(nn.MaxPool2d),
    "average_pool": pool(nn.AvgPool2d),
    "global_average_pool": lambda layer, x: Lambda((lambda t: t.mean((2, 3))) if is_image(x) else (lambda t: t.mean(1))),
    "batch_norm": lambda layer, x: nn.BatchNorm2d(x.shape[1]),
    "layer_norm": lambda layer, x: nn.LayerNorm(x.shape[-1]),
    "rms_norm": lambda layer, x: RmsNorm(x.shape[-1]),
    "relu": lambda layer, x: nn.ReLU(),
    "tanh": lambda layer, x: nn.Tanh(),
    "sigmoid": lambda layer, x: nn.Sigmoid(),
    "gelu": lambda layer, x: nn.GELU(),
    "silu": lambda layer, x: nn.SiLU(),
    "dropout": lambda layer, x: nn.Dropout(layer["rate"]),
    "embedding": lambda layer, x: Embedding(layer, x.shape[1]),
    "position_embedding": lambda layer, x: Positions(*x.shape[1:]),
    "attention": lambda layer, x: Attention(layer, x.shape[1]),
    "lstm": lambda layer, x: Recurrent(nn.LSTM, x.shape[-1], layer["units"]),
    "gru": lambda layer, x: Recurrent(nn.GRU, x.shape[-1], layer["units"]),
    "last_token": view(lambda t: t[:, -1]),
    "flatten": view(lambda t: t.flatten(1)),
    "rows_to_tokens": view(lambda t: t.permute(0, 2, 3, 1).flatten(2)),
    "pixels_to_tokens": view(lambda t: t.flatten(2).transpose(1, 2)),
    "residual_add": view(torch.add),
    "concatenate": lambda layer, x: Lambda(lambda a, b: torch.cat((a, b), 1 if is_image(x) else -1)),
}


def softmax_cross_entropy(scores, labels):
    return F.cross_entropy(scores.flatten(0, -2), labels.flatten())


def detection_loss(scores, targets):
    """models/kernels/detection.hpp, over channels of NCHW."""
    there = targets[:, :1]
    centre = (scores[:, 1:3].sigmoid() - targets[:, 1:3]).square().sum(1, keepdim=True)
    size = (scores[:, 3:5] - targets[:, 3:5].sqrt()).square().sum(1, keepdim=True)
    kind = -(scores[:, 5:].log_softmax(1) * targets[:, 5:]).sum(1, keepdim=True)
    seen, unseen = F.softplus(-scores[:, :1]), F.softplus(scores[:, :1])
    return (there * (5 * (centre + size) + seen + kind) + (1 - there) * 0.5 * unseen).sum() / len(scores)


LOSSES = {
    "softmax_cross_entropy": softmax_cross_entropy,
    "mean_squared_error": F.mse_loss,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    "detection_loss": detection_loss,
}


class Network(nn.Module):
    """forward(x) gives the scores, loss(scores, targets) what training makes small."""

    def __init__(self, name):
        super().__init__()
        description, layers = read_layers(name)
        *layers, last = layers
        self.shape, self.classes, self.loss = description["input"], description["classes"], LOSSES[last["kind"]]
        self.one_hot = last["kind"] in ("mean_squared_error", "binary_cross_entropy")
        self.detects = last["kind"] == "detection_loss"
        self.tokens = layers[0]["kind"] == "embedding"
        self.vocabulary = layers[0].get("vocabulary", 0)
        self.parts, self.steps, self.tied = nn.ModuleList(), [], {}
        referenced = {layer[key] for layer in layers for key in ("input", "skip") if key in layer}
        outputs = {}
        x = self.inputs(2)
        with torch.no_grad():
            for index, layer in enumerate(layers):
                if "input" in layer:
                    x = outputs[layer["input"]]
                self.add(index, layer, x, referenced, layers[index - 1]["name"])
                x = self.run(index, x, outputs)
                outputs[layer["name"]] = x
        self.scores_shape = x.shape[1:]
        self.keep = referenced

    def add(self, index, layer, x, referenced, before):
        kind = layer["kind"]
        if layer.get("tied", False):
            part = next(part for part in reversed(self.parts) if isinstance(part, Embedding)).words
            self.parts.append(nn.Identity())
            self.tied[index] = part.weight
        else:
            self.parts.append(MAKERS[kind](layer, x))
        if kind == "relu" and before not in referenced:
            self.parts[-1].inplace = True  # nobody else reads what it overwrites
        self.steps.append((layer["name"], layer.get("input"), layer.get("skip")))

    def run(self, index, x, outputs):
        skip = self.steps[index][2]
        if index in self.tied:
            return F.linear(x, self.tied[index])
        return self.parts[index](x) if skip is None else self.parts[index](x, outputs[skip])

    def forward(self, x):
        outputs = {}
        for index, (name, source, _) in enumerate(self.steps):
            x = self.run(index, x if source is None else outputs[source], outputs)
            if name in self.keep:
                outputs[name] = x
        return x

    def inputs(self, samples):
        """Random inputs of the network."""
        height, width, channels = self.shape
        if self.tokens:
            return torch.randint(0, self.vocabulary, (samples, height))
        return torch.rand(samples, channels) if height * width == 1 else torch.rand(samples, channels, height, width)

    def targets(self, samples):
        if self.detects:
            targets = torch.rand(samples, *self.scores_shape)
            targets[:, 0] = (targets[:, 0] < 0.25).float()
            return targets
        if self.one_hot:
            return torch.rand(samples, *self.scores_shape)
        return torch.randint(0, self.classes, (samples, *self.scores_shape[:-1]))

    def parameter_count(self):
        """As Orrery counts: its LSTM has one bias vector, PyTorch's two."""
        doubled = sum(p.numel() for part in self.parts if isinstance(part, Recurrent) and isinstance(part.layer, nn.LSTM)
                      for name, p in part.layer.named_parameters() if name.startswith("bias_hh"))
        return sum(p.numel() for p in self.parameters()) - doubled
