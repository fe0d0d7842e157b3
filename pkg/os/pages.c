/* SPDX-License-Identifier: Apache-2.0 */
#include "os/pages.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macros.h"

static bool has_text_relocations(const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *dyn = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); // NOLINT
        for (; dyn->d_tag != DT_NULL; dyn++)
            if (dyn->d_tag == DT_TEXTREL || (dyn->d_tag == DT_FLAGS && (dyn->d_un.d_val & DF_TEXTREL) != 0))
                return true;
    }
    return false;
}

/* The first object in the list is the program; other processes share the libraries. */
static int forget(struct dl_phdr_info *info, size_t size, void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size, (void)arg;
    for (size_t i = 0; i < info->dlpi_phnum && !has_text_relocations(info); i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + page - 1) & ~(page - 1);
        (void)madvise((void *)start, end - start, MADV_DONTNEED); // NOLINT
    }
    return 1;
}

void hf_pages_forget_code(void)
{
    (void)dl_iterate_phdr(forget, NULL);
}

void hf_pages_return_blocks(void)
{
#ifdef M_MMAP_THRESHOLD
    enum { BLOCK = 128 << 10 }; /* glibc's initial threshold; setting it stops glibc from moving it */
    (void)mallopt(M_MMAP_THRESHOLD, BLOCK);
#endif
}
