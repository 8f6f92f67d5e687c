#!/usr/bin/env python3
"""Seconds per training step (forward, backward, plain SGD) of a network in PyTorch on the CPU, in every variant a person
would try: gradients zeroed or dropped between steps, images channels first or last. One process of compare_pytorch.py;
JSON on standard output."""
import argparse
import itertools
import json
import time

import torch

from pytorch_networks import Network

BATCHES_IN_TURN = 8
LEARNING_RATE = 0.001
CLIENTS, CLIENT_SAMPLES = 10, 600  # a FedAvg round as in bench_training: McMahan et al. 2017, C = 0.1 of 100 clients


class Training:
    def __init__(self, name, batch, drop_gradients, channels_last):
        torch.manual_seed(1)
        self.network, self.batch, self.drop_gradients = Network(name), batch, drop_gradients
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.network.to(memory_format=layout)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=LEARNING_RATE)
        inputs = [self.network.inputs(batch) for _ in range(BATCHES_IN_TURN)]
        self.inputs = [x.contiguous(memory_format=layout) if x.dim() == 4 else x for x in inputs]
        self.targets = [self.network.targets(batch) for _ in range(BATCHES_IN_TURN)]
        self.at = 0

    def step(self):
        self.at = (self.at + 1) % BATCHES_IN_TURN
        self.optimizer.zero_grad(set_to_none=self.drop_gradients)
        self.network.loss(self.network(self.inputs[self.at]), self.targets[self.at]).backward()
        self.optimizer.step()

    @torch.no_grad()
    def load(self, weights):
        for parameter, weight in zip(self.network.parameters(), weights):
            parameter.copy_(weight)

    def round(self):
        """FedAvg: each client in turn trains one epoch from the common weights; then their mean."""
        start = [parameter.detach().clone() for parameter in self.network.parameters()]
        mean = [torch.zeros_like(parameter) for parameter in start]
        for _ in range(CLIENTS):
            self.load(start)
            for _ in range(CLIENT_SAMPLES // self.batch):
                self.step()
            with torch.no_grad():
                for parameter, total in zip(self.network.parameters(), mean):
                    total.add_(parameter, alpha=1 / CLIENTS)
        self.load(mean)


def seconds_per_call(work, seconds):
    for _ in range(2):
        work()
    calls, start = 0, time.perf_counter()
    while calls < 2 or time.perf_counter() - start < seconds:
        work()
        calls += 1
    return (time.perf_counter() - start) / calls


def blas_library():
    """The BLAS that this process really uses: PyTorch only knows that it is some libblas."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        found = {line.split()[-1] for line in maps if "blas" in line.rsplit("/", 1)[-1]}
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("--batches", default="64", help="comma-separated; a batch of FedAvg rounds is written round:10")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=0.5, help="of measurement per variant")
    options = parser.parse_args()
    rows = []
    for threads, batch in itertools.product(options.threads.split(","), options.batches.split(",")):
        torch.set_num_threads(int(threads))
        images = len(Network(options.network).inputs(1).shape) == 4
        for drop_gradients, channels_last in itertools.product((True, False), (False, True) if images else (False,)):
            training = Training(options.network, int(batch.removeprefix("round:")), drop_gradients, channels_last)
            work = training.round if batch.startswith("round:") else training.step
            rows.append({"batch": batch, "threads": int(threads),
                         "variant": f"{'drop' if drop_gradients else 'zero'}{', channels last' if channels_last else ''}",
                         "ms": 1e3 * seconds_per_call(work, options.seconds),
                         "parameters": training.network.parameter_count()})
    print(json.dumps({"torch": torch.__version__, "blas": blas_library(), "rows": rows}))


if __name__ == "__main__":
    main()
