# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Writes the tables of options and of capabilities into the READMEs, and checks that they are up to date."""
