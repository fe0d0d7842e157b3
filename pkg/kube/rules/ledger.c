/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/ledger.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct ledger_entry {
    uint64_t version; /* as reported; 0: unknown, the subscriber held it before */
    uint64_t held;    /* that the subscriber held at the start; 0: unknown, or reported since */
    unsigned round;   /* the last round that had it */
    bool declined;    /* the subscriber does not keep it */
};

void hf_ledger_init(struct hf_ledger *ledger, size_t max_objects)
{
    *ledger = (struct hf_ledger){.objects = {.free_value = free}, .max_objects = max_objects};
}

void hf_ledger_done(struct hf_ledger *ledger)
{
    hf_strmap_done(&ledger->objects);
}

static int add(struct hf_ledger *ledger, const char *name, struct ledger_entry **ret_entry)
{
    if (ledger->objects.n >= ledger->max_objects)
        return -E2BIG;
    struct ledger_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return -ENOMEM;
    int r = hf_strmap_put(&ledger->objects, name, entry);
    if (r < 0) {
        free(entry);
        return r;
    }
    *ret_entry = entry;
    return 0;
}

static int find_or_add(struct hf_ledger *ledger, const char *name, struct ledger_entry **ret_entry)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    if (entry == NULL)
        return add(ledger, name, ret_entry);
    *ret_entry = entry;
    return 0;
}

static void note_version(struct hf_ledger *ledger, struct ledger_entry *entry, uint64_t version)
{
    entry->version = version;
    entry->held = 0;
    entry->declined = false; /* reported again: the subscriber may decide otherwise now */
    if (version > ledger->highest)
        ledger->highest = version;
}

int hf_ledger_know(struct hf_ledger *ledger, const char *name)
{
    struct ledger_entry *entry;

    return find_or_add(ledger, name, &entry);
}

void hf_ledger_hold(struct hf_ledger *ledger, const char *name, uint64_t version)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    if (entry != NULL && entry->version == 0)
        entry->held = version;
    ledger->highest = HF_MAX(ledger->highest, version);
}

uint64_t hf_ledger_version(const struct hf_ledger *ledger, const char *name)
{
    const struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    return entry != NULL ? entry->version : 0;
}

void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    if (entry == NULL)
        return;
    if (!matters && !ledger->ending && ledger->objects.n > ledger->max_objects / 2)
        (void)hf_strmap_remove(&ledger->objects, name);
    else
        entry->declined = true;
}

static bool is_known(const struct ledger_entry *entry, uint64_t version)
{
    return entry != NULL && version != 0 && version == entry->version;
}

/* True if the subscriber has a newer version. */
static bool is_outdated(const struct ledger_entry *entry, uint64_t version)
{
    return entry != NULL && version != 0 && version < entry->version;
}

/* True if a watch that begins before what the subscriber held at its start tells how it came to that. A list tells what
 * is: behind a restored backup, an object may have a lower version than the one held. */
static bool is_replayed(const struct ledger_entry *entry, uint64_t version)
{
    return entry != NULL && version != 0 && version < entry->held;
}

int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                    enum hf_ledger_change *ret_change)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    if (is_outdated(entry, version) || is_replayed(entry, version)) {
        *ret_change = HF_LEDGER_OLD;
        return 0;
    }
    if (deleted) {
        *ret_change = hf_strmap_remove(&ledger->objects, name) ? HF_LEDGER_GONE : HF_LEDGER_NOTHING;
        if (version > ledger->highest)
            ledger->highest = version;
        return 0;
    }
    if (is_known(entry, version)) {
        *ret_change = HF_LEDGER_NOTHING;
        return 0;
    }
    int r = find_or_add(ledger, name, &entry);
    if (r < 0)
        return r;
    note_version(ledger, entry, version);
    entry->round = ledger->round;
    *ret_change = HF_LEDGER_UPSERT;
    return 0;
}

bool hf_ledger_unreadable(struct hf_ledger *ledger, const char *name, uint64_t version)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);

    if (entry != NULL)
        entry->round = ledger->round;
    if (is_outdated(entry, version))
        return false;
    if (version > ledger->highest)
        ledger->highest = version;
    return true;
}

int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted, bool live,
                         enum hf_ledger_change *ret_change)
{
    struct ledger_entry *entry = hf_strmap_get(&ledger->objects, name);
    uint64_t reported = entry != NULL && entry->version != 0 ? entry->version : ledger->baseline;

    if (deleted) {
        *ret_change = entry != NULL ? HF_LEDGER_UNSURE : HF_LEDGER_NOTHING;
        return 0;
    }
    if (entry == NULL && (version == 0 || version <= ledger->baseline)) {
        *ret_change = HF_LEDGER_GHOST;
        return 0;
    }
    if (entry != NULL && version <= reported) {
        *ret_change = version < reported && entry->version != 0 ? HF_LEDGER_OLD : HF_LEDGER_NOTHING;
        return 0;
    }
    if (ledger->baseline == 0 || !live) {
        *ret_change = HF_LEDGER_UNSURE;
        return 0;
    }
    int r = find_or_add(ledger, name, &entry);
    if (r < 0)
        return r;
    note_version(ledger, entry, version);
    *ret_change = HF_LEDGER_UPSERT;
    return 0;
}

void hf_ledger_begin(struct hf_ledger *ledger)
{
    ledger->round++;
}

int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version, enum hf_ledger_change *ret_change)
{
    struct ledger_entry *entry;
    int r = find_or_add(ledger, name, &entry);

    if (r < 0)
        return r;
    entry->round = ledger->round;
    bool known = is_known(entry, version);
    if (is_outdated(entry, version) || (known && !entry->declined)) {
        *ret_change = known ? HF_LEDGER_NOTHING : HF_LEDGER_OLD;
        return 0;
    }
    note_version(ledger, entry, version);
    *ret_change = HF_LEDGER_UPSERT;
    return 0;
}

/* True if an event reported a version that is newer than the answer. */
static bool is_newer(const struct ledger_entry *entry, uint64_t version)
{
    return version != 0 && entry->version > version;
}

void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg)
{
    assert(!ledger->ending && ledger->round > 0); /* a round that began, and `gone` begins no other */
    ledger->ending = true;
    for (size_t i = ledger->objects.n; gone != NULL && i > 0; i--) {
        const struct hf_strmap_entry *slot = &ledger->objects.entries[i - 1];
        const struct ledger_entry *entry = slot->value;
        if (entry->round == ledger->round || is_newer(entry, version))
            continue;
        gone(arg, slot->key);
        (void)hf_strmap_remove(&ledger->objects, slot->key);
    }
    ledger->ending = false;
    if (gone != NULL)
        ledger->baseline = version;
    if (version > ledger->highest)
        ledger->highest = version;
}

/* Makes the versions above `version` unknown. */
static void forget_above(struct hf_ledger *ledger, uint64_t version)
{
    for (size_t i = 0; i < ledger->objects.n; i++) {
        struct ledger_entry *entry = ledger->objects.entries[i].value;
        if (entry->version > version)
            entry->version = 0;
        if (entry->held > version)
            entry->held = 0;
    }
}

void hf_ledger_renew(struct hf_ledger *ledger)
{
    forget_above(ledger, 0);
}

void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version)
{
    forget_above(ledger, version);
    ledger->highest = version;
    if (ledger->baseline > version)
        ledger->baseline = version;
}
