/* SPDX-License-Identifier: Apache-2.0 */
/* A doubly linked ring of struct hf_list members; an empty list's head points at itself. Pure.
 *
 *     head <-> a <-> b <-> head */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct hf_list {
    struct hf_list *next;
    struct hf_list *prev;
};

static inline void hf_list_init(struct hf_list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool hf_list_empty(const struct hf_list *head)
{
    return head->next == head;
}

static inline size_t hf_list_count(const struct hf_list *head)
{
    size_t n = 0;

    for (const struct hf_list *it = head->next; it != head; it = it->next)
        n++;
    return n;
}

static inline void hf_list_append(struct hf_list *head, struct hf_list *entry)
{
    entry->prev = head->prev;
    entry->next = head;
    head->prev->next = entry;
    head->prev = entry;
}

static inline void hf_list_remove(struct hf_list *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    hf_list_init(entry);
}

/* The body may remove `it`, but not `following`. */
#define hf_list_each(it, following, head)                                                                              \
    for ((it) = (head)->next, (following) = (it)->next; (it) != (head); (it) = (following), (following) = (it)->next)
