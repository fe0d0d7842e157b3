/* SPDX-License-Identifier: Apache-2.0 */
/* In place of memory.c for musl, whose malloc has no arenas, gives big buffers back at once, and takes no orders. */
#include "os/memory.h"

void hf_memory_frugal(void)
{
}

void hf_memory_trim_heap(void)
{
}

void hf_memory_trim(void)
{
}

void hf_memory_trim_thread(void)
{
}

size_t hf_memory_spare(void)
{
    return 0;
}
