/* SPDX-License-Identifier: Apache-2.0 */
/* support/elf_make.h - a small shared library made from a recipe: functions that call each other and tables about them, so that
 * a change in one moves all the others, as linking does. */
#pragma once

#include <stddef.h>

enum elf_make_machine {
    ELF_MAKE_I386 = 3, /* 32 bit */
    ELF_MAKE_ARM = 40, /* 32 bit, the first functions A32, then Thumb */
    ELF_MAKE_X86_64 = 62,
    ELF_MAKE_AARCH64 = 183,
    ELF_MAKE_RISCV = 243,
};

struct elf_made {
    unsigned char *p; /* free() */
    size_t n;
};

/* `functions` of them; those whose number is a multiple of `grown` (0: none) are longer. -ENOMEM ends the test. */
struct elf_made elf_make(enum elf_make_machine machine, unsigned functions, unsigned grown);
