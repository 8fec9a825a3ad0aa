# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The code in READMEs and documentation: found, run, and checked.

A page is one program: its Python blocks, in their order, share their names. So a later block may go on where an earlier one
stopped, and a page has to define or import whatever it uses.
"""
