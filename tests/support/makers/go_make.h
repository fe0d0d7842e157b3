/* SPDX-License-Identifier: Apache-2.0 */
/* support/go_make.h - a small executable with the tables the Go linker makes: what is said of functions and types by offsets, so
 * that a change in one moves all the others. */
#pragma once

#include "delta/image/image.h"
#include "support/makers/elf_make.h"

/* `functions` of them (at most 2000) and half as many types, as that layout has them; those whose number is a multiple of `grown`
 * (0: none) are larger. Free ret->p. */
struct elf_made go_make(enum delta_go_layout layout, unsigned functions, unsigned grown);
