/* SPDX-License-Identifier: Apache-2.0 */
#include "config/mirrors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/asprintf.h"
#include "codec/sha256.h"

/* A mirror rests (comes last) after a failure, and after wrong content. */
#define HF_MIRROR_REST_NS (600 * HF_NS_PER_S)
#define HF_MIRROR_LIE_NS (24 * 3600 * HF_NS_PER_S)

/* ---- the memory -------------------------------------------------------------------------------------------------- */

static uint64_t fingerprint(const char *text)
{
    struct hf_sha256 hash;
    uint64_t id;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, text, strlen(text));
    id = hf_sha256_final64(&hash);
    return id != 0 ? id : 1;
}

static const struct hf_mirror_slot *find(const struct hf_mirror_memory *memory, uint64_t mirror)
{
    for (size_t i = 0; i < HF_MIRROR_SLOTS; i++)
        if (memory->slots[i].id == mirror)
            return &memory->slots[i];
    return NULL;
}

static struct hf_mirror_slot *take(struct hf_mirror_memory *memory, uint64_t mirror)
{
    struct hf_mirror_slot *first = &memory->slots[0];

    for (size_t i = 0; i < HF_MIRROR_SLOTS; i++) {
        struct hf_mirror_slot *slot = &memory->slots[i];
        if (slot->id == mirror)
            return slot;
        if (slot->id == 0 ? first->id != 0 : first->id != 0 && slot->until_ns < first->until_ns)
            first = slot;
    }
    *first = (struct hf_mirror_slot){.id = mirror};
    return first;
}

void hf_mirrors_failed(struct hf_mirror_memory *memory, uint64_t mirror, uint64_t now_ns)
{
    if (mirror == 0)
        return;
    struct hf_mirror_slot *slot = take(memory, mirror);
    slot->until_ns = HF_MAX(slot->until_ns, now_ns + HF_MIRROR_REST_NS);
}

void hf_mirrors_served(struct hf_mirror_memory *memory, uint64_t mirror, const char *key, uint64_t now_ns)
{
    if (mirror == 0)
        return;
    struct hf_mirror_slot *slot = take(memory, mirror);
    slot->served = fingerprint(key);
    if (slot->until_ns <= now_ns + HF_MIRROR_REST_NS) /* a rest after wrong content goes on */
        slot->until_ns = 0;
}

bool hf_mirrors_blame(struct hf_mirror_memory *memory, const char *key, uint64_t now_ns)
{
    uint64_t served = fingerprint(key);
    bool found = false;

    for (size_t i = 0; i < HF_MIRROR_SLOTS; i++) {
        struct hf_mirror_slot *slot = &memory->slots[i];
        if (slot->id == 0 || slot->served != served)
            continue;
        found = true;
        slot->served = 0;
        slot->until_ns = now_ns + HF_MIRROR_LIE_NS;
    }
    return found;
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

static uint64_t rests_until(const struct hf_mirror_memory *memory, const struct hf_try *item, uint64_t now_ns)
{
    const struct hf_mirror_slot *slot = item->mirror != 0 ? find(memory, item->mirror) : NULL;

    return slot != NULL && slot->until_ns > now_ns ? slot->until_ns : 0;
}

/* Sorts by the end of the rest, and keeps the order of those that do not rest. */
static void sort(const struct hf_mirror_memory *memory, struct hf_tries *tries, uint64_t now_ns)
{
    for (size_t i = 1; i < tries->n; i++)
        for (size_t at = i; at > 0 && rests_until(memory, &tries->items[at], now_ns) <
                                          rests_until(memory, &tries->items[at - 1], now_ns);
             at--) {
            struct hf_try item = tries->items[at];
            tries->items[at] = tries->items[at - 1];
            tries->items[at - 1] = item;
        }
}

static int add(struct hf_tries *tries, uint64_t mirror, char *url)
{
    if (url == NULL)
        return -ENOMEM;
    tries->items[tries->n++] = (struct hf_try){.url = url, .mirror = mirror};
    return 0;
}

int hf_mirrors_list(const struct hf_config *config, const struct hf_mirror_memory *memory, const char *url,
                    uint64_t now_ns, struct hf_tries *ret_tries)
{
    struct hf_tries tries = {.n = 0};
    const char *rest = NULL;
    const struct hf_config_mirror *mirror = hf_config_mirror_for(config, url, &rest);
    int r = 0;

    for (const char *const *to = mirror != NULL ? mirror->to : NULL; r == 0 && to != NULL && *to != NULL; to++) {
        size_t n = strlen(*to);
        while ((*to)[n - 1] == '/')
            n--;
        r = add(&tries, fingerprint(*to), hf_asprintf("%.*s/%s", (int)n, *to, rest));
    }
    if (r == 0)
        r = add(&tries, 0, strdup(url));
    if (r < 0) {
        hf_mirrors_list_done(&tries);
        return r;
    }
    sort(memory, &tries, now_ns);
    *ret_tries = tries;
    return 0;
}

void hf_mirrors_list_done(struct hf_tries *tries)
{
    for (size_t i = 0; i < tries->n; i++)
        free(tries->items[i].url);
    tries->n = 0;
}
