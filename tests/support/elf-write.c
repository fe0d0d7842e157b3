/* elf-write x86-64|aarch64 OLD NEW: a pair of programs as elf_make makes them, for tests that run elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/elf_make.h"

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
    if (argc != 4)
        return 2;
    enum elf_make_machine machine = strcmp(argv[1], "aarch64") == 0 ? ELF_MAKE_AARCH64 : ELF_MAKE_X86_64;
    return write_one(argv[2], machine, 0) || write_one(argv[3], machine, 7);
}
