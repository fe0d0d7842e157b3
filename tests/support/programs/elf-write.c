/* SPDX-License-Identifier: Apache-2.0 */
/* elf-write x86-64|aarch64|riscv64|arm|i386 OLD NEW: a pair of programs as elf_make makes them, for tests that run elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/makers/elf_make.h"

static int write_one(const char *path, enum elf_make_machine machine, unsigned grown)
{
    struct elf_made elf = elf_make(machine, 400, grown);
    FILE *file = fopen(path, "w");
    int bad = file == NULL || fwrite(elf.p, 1, elf.n, file) != elf.n;

    if (file != NULL)
        bad |= fclose(file) != 0;
    free(elf.p);
    return bad;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum elf_make_machine machine;
    } machines[] = {{"x86-64", ELF_MAKE_X86_64},
                    {"aarch64", ELF_MAKE_AARCH64},
                    {"riscv64", ELF_MAKE_RISCV},
                    {"arm", ELF_MAKE_ARM},
                    {"i386", ELF_MAKE_I386}};

    for (size_t i = 0; argc == 4 && i < sizeof(machines) / sizeof(machines[0]); i++)
        if (strcmp(argv[1], machines[i].name) == 0)
            return write_one(argv[2], machines[i].machine, 0) || write_one(argv[3], machines[i].machine, 7);
    return 2;
}
