# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The results as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from scoring import Scores

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ('#0072B2', '#E69F00', '#009E73', '#D55E00', '#CC79A7', '#56B4E9')
MARKERS = 'osD^vP'
# Lines that lie on each other must both be seen.
DASHES = ('-', (0, (4, 4)), '-.', ':', '--', (0, (1, 1)))


def draw(results: Mapping[str, Scores], what: Mapping[str, str], cuts: Sequence[int], k: int, path: Path) -> None:
    """Draws nDCG with its interval on the left and recall by k on the right, and writes a PNG file."""
    figure = Figure(figsize=(10, 0.45 * len(results) + 2.4), layout='constrained')
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    best_first = sorted(results, key=lambda name: results[name].mean('ndcg', k))
    for row, name in enumerate(best_first):
        colour, marker = look(results, name)
        middle = results[name].mean('ndcg', k)
        low, high = results[name].interval('ndcg', k)
        left.plot([low, high], [row, row], color=colour, linewidth=2, alpha=0.5, solid_capstyle='round')
        left.plot(middle, row, marker, color=colour, markersize=8)
        left.annotate(f'{middle:.3f}', (middle, row), (0, 7), textcoords='offset points', ha='center', fontsize=9)
    left.set_yticks(range(len(best_first)), [f'{name}\n{what[name]}' for name in best_first], fontsize=9)
    left.set_ylim(-0.6, len(best_first) - 0.3)
    left.set_xlim(right=1.02)
    left.set_title(f'nDCG@{k}, with 95 % interval', fontsize=10)
    left.grid(axis='x', alpha=0.3)

    for number, name in enumerate(results):
        colour, marker = look(results, name)
        values = [results[name].mean('recall', cut) for cut in cuts]
        dashes = DASHES[number % len(DASHES)]
        right.plot(cuts, values, marker=marker, color=colour, label=name, linestyle=dashes, linewidth=2, markersize=5)
    right.set_xticks(cuts)
    right.set_xlabel('k')
    right.set_title('Recall@k', fontsize=10)
    right.grid(alpha=0.3)
    right.legend(fontsize=9, frameon=False, loc='lower right', handlelength=3)
    for axes in (left, right):
        axes.spines[['top', 'right']].set_visible(False)
    figure.savefig(path, dpi=110, metadata={'Software': None})


def look(results: Mapping[str, Scores], name: str) -> tuple[str, str]:
    """Colour and marker of a set-up, the same in both halves."""
    number = list(results).index(name)
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
