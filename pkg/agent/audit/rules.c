/* SPDX-License-Identifier: Apache-2.0 */
/* Each state belongs to a category. Most categories are the subject of the entry without its version: "update/app"
 * is the category of the subject "update/app@1.2". A state needs an entry if it differs from the last entry of its
 * category. A new process learns the last entries from the lines of the log, so an unchanged state needs no entry
 * after a restart either.
 *
 * If the memory holds HF_AUDIT_MAX_REMEMBERED categories, a new category takes the place of the category whose state
 * has been absent for the longest time. If no state is absent, or if memory runs out, the new category gets no entry
 * until a later look finds room for it: an entry that the memory does not hold would be added again by each look. */
#include "agent/audit/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "codec/sha256.h"

/* Before, a refused release needs none: after a restart the source may replay old versions. */
#define HF_AUDIT_STEADY_NS (5 * HF_NS_PER_S)

enum {
    CATEGORY = HF_AUDIT_SUBJECT + 16,
    MAX_NAMED = HF_AUDIT_MAX_REMEMBERED - 8, /* categories of objects; the others always have room */
};

struct last {
    uint64_t print;    /* fingerprint of the last entry; 0: there is none yet */
    bool is_committed; /* the last entry says that the release is committed */
    bool repairing;    /* an update works on the version that is committed */
    uint64_t refusal;  /* fingerprint of a refusal that has no entry yet */
    uint64_t since_ns; /* when that refusal was first seen */
    uint64_t used;     /* count of the last use */
};

void hf_audit_memory_init(struct hf_audit_memory *memory)
{
    *memory = (struct hf_audit_memory){.last = {.free_value = free}, .look_again_ns = HF_NEVER};
}

void hf_audit_memory_done(struct hf_audit_memory *memory)
{
    hf_strmap_done(&memory->last);
}

void hf_audit_memory_begin_look(struct hf_audit_memory *memory)
{
    memory->before_last_look = memory->before_look;
    memory->before_look = memory->uses;
}

/* ---- what an entry is about -------------------------------------------------------------------------------------- */

/* Writes the category of the state that the event describes. Returns false for an event that is no state. */
static bool category_of(const struct hf_audit_event *event, char category[CATEGORY])
{
    const char *at = strrchr(event->subject, '@');
    int n = at != NULL ? (int)(at - event->subject) : (int)strlen(event->subject);
    const char *fixed = NULL, *prefix = "";

    switch (event->kind) {
    case HF_AUDIT_POLICY_CHOSEN:
        fixed = "chosen";
        break;
    case HF_AUDIT_POLICY_REFUSED:
        fixed = "refused";
        break;
    case HF_AUDIT_OVERRIDE_USED:
        fixed = "override";
        break;
    case HF_AUDIT_CONFIGURATION_CHANGED:
        fixed = "configuration";
        break;
    case HF_AUDIT_TRUST_CHANGED:
        fixed = "trust";
        break;
    case HF_AUDIT_HOLD_SET:
    case HF_AUDIT_HOLD_ENDED:
        fixed = "hold";
        break;
    case HF_AUDIT_WENT_STALE:
    case HF_AUDIT_CAME_BACK:
        fixed = "contact";
        break;
    case HF_AUDIT_DRIFT_REPAIRED:
        if (strncmp(event->subject, "manifest/", 9) != 0)
            return false;
        prefix = "drift/";
        break;
    case HF_AUDIT_UPDATE_DECISION:
    case HF_AUDIT_UPDATE_REFUSED:
    case HF_AUDIT_OBJECT_REFUSED:
    case HF_AUDIT_MANIFEST_APPLIED:
    case HF_AUDIT_MANIFEST_ROLLED_BACK:
    case HF_AUDIT_MANIFEST_REFUSED:
        break;
    default:
        return false;
    }
    if (fixed != NULL)
        (void)snprintf(category, CATEGORY, "%s", fixed);
    else
        (void)snprintf(category, CATEGORY, "%s%.*s", prefix, n, event->subject);
    return true;
}

/* The message of an update or a manifest has details that change while the state stays. */
static bool message_counts(enum hf_audit_kind kind)
{
    return kind == HF_AUDIT_POLICY_REFUSED || kind == HF_AUDIT_HOLD_SET || kind == HF_AUDIT_DRIFT_REPAIRED ||
           kind == HF_AUDIT_OVERRIDE_USED || kind == HF_AUDIT_OBJECT_REFUSED;
}

static uint64_t print_of(const struct hf_audit_event *event)
{
    struct hf_sha256 hash;
    unsigned char kind = (unsigned char)event->kind;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, &kind, 1);
    hf_sha256_update(&hash, event->subject, strlen(event->subject) + 1);
    hf_sha256_update(&hash, event->reason, strlen(event->reason) + 1);
    if (message_counts(event->kind))
        hf_sha256_update(&hash, event->message, strlen(event->message));
    return hf_sha256_final64(&hash) | 1;
}

/* True if the state still exists, as far as this look and the one before it know. */
static bool is_present(const struct hf_audit_memory *memory, const struct last *last)
{
    return last->used > memory->before_last_look;
}

static size_t count_present(const struct hf_audit_memory *memory)
{
    size_t n = 0;

    for (size_t i = 0; i < memory->last.n; i++)
        n += is_present(memory, memory->last.entries[i].value);
    return n;
}

/* The category is that of an object. The others are a few fixed words. */
static bool is_named(const char *category)
{
    return strchr(category, '/') != NULL;
}

/* Forgets the named category that was not used for longest. Returns false if there is none, or if its state is
 * present and `also_present` is false. */
static bool forget_one(struct hf_audit_memory *memory, bool also_present)
{
    const struct hf_strmap_entry *oldest = NULL;

    for (size_t i = 0; i < memory->last.n; i++) {
        const struct hf_strmap_entry *entry = &memory->last.entries[i];
        if (is_named(entry->key) &&
            (oldest == NULL || ((struct last *)entry->value)->used < ((struct last *)oldest->value)->used))
            oldest = entry;
    }
    return oldest != NULL && (also_present || !is_present(memory, oldest->value)) &&
           hf_strmap_remove(&memory->last, oldest->key) != 0;
}

/* NULL: out of memory, or no room. */
static struct last *last_of(struct hf_audit_memory *memory, const char *category, bool also_present)
{
    struct last *last = hf_strmap_get(&memory->last, category);

    if (last == NULL) {
        if (is_named(category) && memory->last.n >= MAX_NAMED && !forget_one(memory, also_present))
            return NULL;
        last = calloc(1, sizeof(*last));
        if (last != NULL && hf_strmap_put(&memory->last, category, last) < 0) {
            free(last);
            last = NULL;
        }
    }
    if (last != NULL)
        last->used = ++memory->uses;
    return last;
}

static void remember(struct last *last, const struct hf_audit_event *event)
{
    last->print = print_of(event);
    last->is_committed = event->kind == HF_AUDIT_UPDATE_DECISION && strcmp(event->reason, "Committed") == 0;
    last->repairing = false;
    last->refusal = 0;
}

static void learn(struct hf_audit_memory *memory, const struct hf_audit_event *event, bool also_present)
{
    char category[CATEGORY];
    struct last *last = category_of(event, category) ? last_of(memory, category, also_present) : NULL;

    if (last != NULL)
        remember(last, event);
}

void hf_audit_memory_learn(struct hf_audit_memory *memory, const struct hf_audit_event *event)
{
    learn(memory, event, true);
}

/* True: the event needs an entry, and is remembered; always for an event that is no state. */
static bool is_news(struct hf_audit_memory *memory, const struct hf_audit_event *event)
{
    char category[CATEGORY];

    if (!category_of(event, category))
        return true;
    struct last *last = last_of(memory, category, false);
    if (last == NULL || last->print == print_of(event))
        return false;
    remember(last, event);
    return true;
}

/* True if the last entry of the category of `event` has the kind of `event`, whatever its texts. */
static bool has_entry(struct hf_audit_memory *memory, const struct hf_audit_event *event)
{
    char category[CATEGORY];
    const struct last *last = category_of(event, category) ? hf_strmap_get(&memory->last, category) : NULL;

    return last != NULL && last->print != 0;
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

/* The form of a phase in the log: NULL, not at all. */
static const char *decision_of(const struct hf_update_status *status)
{
    switch (status->phase) {
    case HF_PHASE_WAITING:
        return status->reason;
    case HF_PHASE_VERIFIED:
        return strcmp(status->reason, "TurnPending") == 0 ? status->reason : NULL;
    case HF_PHASE_FETCHING:
    case HF_PHASE_SWAPPING:
    case HF_PHASE_COMMITTED:
    case HF_PHASE_ROLLING_BACK:
    case HF_PHASE_ROLLED_BACK:
    case HF_PHASE_INCOMPATIBLE:
        return hf_phase_name(status->phase);
    case HF_PHASE_REJECTED:
        return status->reason;
    default:
        return NULL;
    }
}

static bool is_final(enum hf_phase phase)
{
    return phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_INCOMPATIBLE ||
           phase == HF_PHASE_REJECTED;
}

static void describe(const struct hf_update_status *status, struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT * 2], text[HF_AUDIT_MESSAGE];
    bool refused = status->phase == HF_PHASE_REJECTED;
    const char *decision = decision_of(status);
    bool twice = decision == NULL || status->reason[0] == '\0' || strcmp(decision, status->reason) == 0;

    (void)snprintf(subject, sizeof(subject), "update/%s@%s", status->name, status->version);
    (void)snprintf(text, sizeof(text), "%s%s%s", twice ? "" : status->reason, twice ? "" : ": ", status->message);
    hf_audit_event_set(ret_event, refused ? HF_AUDIT_UPDATE_REFUSED : HF_AUDIT_UPDATE_DECISION, subject, decision,
                       text);
}

static struct hf_audit_event committed(const struct hf_audit_event *event)
{
    struct hf_audit_event as_committed = *event;

    as_committed.kind = HF_AUDIT_UPDATE_DECISION;
    (void)snprintf(as_committed.reason, sizeof(as_committed.reason), "Committed");
    return as_committed;
}

/* A refusal waits until it is steady. Returns true if it is. */
static bool is_steady(struct hf_audit_memory *memory, struct last *last, uint64_t print, uint64_t now_ns)
{
    if (last->refusal != print) {
        last->refusal = print;
        last->since_ns = now_ns;
    }
    if (now_ns - last->since_ns >= HF_AUDIT_STEADY_NS)
        return true;
    memory->look_again_ns = HF_MIN(memory->look_again_ns, last->since_ns + HF_AUDIT_STEADY_NS);
    return false;
}

bool hf_audit_of_update(struct hf_audit_memory *memory, const struct hf_update_status *status, uint64_t now_ns,
                        struct hf_audit_event *ret_event)
{
    char category[CATEGORY];

    describe(status, ret_event);
    (void)category_of(ret_event, category);
    struct last *last = last_of(memory, category, false);
    if (last == NULL)
        return false;
    struct hf_audit_event before = committed(ret_event);
    if (last->is_committed && last->print == print_of(&before) && status->phase >= HF_PHASE_FETCHING &&
        status->phase <= HF_PHASE_PROBATION) { /* the same version again: a repair, if it ends well */
        last->repairing = true;
        return false;
    }
    if (last->repairing && status->phase == HF_PHASE_COMMITTED && last->print == print_of(ret_event)) {
        last->repairing = false;
        ret_event->kind = HF_AUDIT_DRIFT_REPAIRED;
        return true;
    }
    uint64_t print = print_of(ret_event);
    if (decision_of(status) == NULL || last->print == print) {
        last->refusal = 0;
        return false;
    }
    if (memory->may_have_forgotten && is_final(status->phase) && last->print == 0) {
        remember(last, ret_event);
        return false;
    }
    if (status->phase == HF_PHASE_REJECTED && !is_steady(memory, last, print, now_ns))
        return false;
    remember(last, ret_event);
    return true;
}

/* ---- manifests --------------------------------------------------------------------------------------------------- */

static void manifest_subject(const struct hf_audit_manifest *manifest, char subject[HF_AUDIT_SUBJECT])
{
    (void)snprintf(subject, HF_AUDIT_SUBJECT, "manifest/%.63s@%.12s", manifest->name, manifest->digest);
}

bool hf_audit_of_manifest(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                          struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT];
    enum hf_audit_kind kind;

    switch (manifest->phase) {
    case HF_MANIFEST_APPLIED:
        kind = HF_AUDIT_MANIFEST_APPLIED;
        break;
    case HF_MANIFEST_ROLLED_BACK:
        kind = HF_AUDIT_MANIFEST_ROLLED_BACK;
        break;
    case HF_MANIFEST_REFUSED:
        kind = HF_AUDIT_MANIFEST_REFUSED;
        break;
    default:
        return false;
    }
    manifest_subject(manifest, subject);
    /* An applied entry has the reason of its last repair, which is another entry. */
    hf_audit_event_set(ret_event, kind, subject,
                       kind == HF_AUDIT_MANIFEST_APPLIED ? "Applied" : hf_manifest_reason_name(manifest->reason),
                       manifest->message);
    if (memory->may_have_forgotten && !has_entry(memory, ret_event)) {
        learn(memory, ret_event, false);
        return false;
    }
    return is_news(memory, ret_event);
}

bool hf_audit_of_drift(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                       struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT], text[64];

    if (manifest->drifts == 0)
        return false;
    manifest_subject(manifest, subject);
    (void)snprintf(text, sizeof(text), "%u %s of this content so far", manifest->drifts,
                   hf_noun(manifest->drifts, "repair", "repairs"));
    hf_audit_event_set(ret_event, HF_AUDIT_DRIFT_REPAIRED, subject, "DriftRepaired", text);
    if (memory->may_have_forgotten && !has_entry(memory, ret_event)) {
        learn(memory, ret_event, false);
        return false;
    }
    return is_news(memory, ret_event);
}

/* ---- policy ------------------------------------------------------------------------------------------------------ */

bool hf_audit_of_policy(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                        struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT * 2], message[HF_AUDIT_MESSAGE] = "";
    bool none = policy->name == NULL;

    if (policy->others != NULL && policy->others[0] != '\0')
        (void)snprintf(message, sizeof(message), "then in order: %s", policy->others);
    (void)snprintf(subject, sizeof(subject), "policy/%s@%" PRId64, none ? "" : policy->name, policy->generation);
    hf_audit_event_set(ret_event, HF_AUDIT_POLICY_CHOSEN, none ? "policy/(defaults)" : subject,
                       none                ? "Defaults"
                       : policy->is_signed ? "Signed"
                                           : "Unsigned",
                       none ? "no SyncPolicy selects this node" : message);
    return is_news(memory, ret_event);
}

bool hf_audit_of_distrust(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event)
{
    if (policy->distrust == NULL)
        return false;
    hf_audit_event_set(ret_event, HF_AUDIT_POLICY_REFUSED, "policy", policy->distrust, policy->distrust_text);
    return is_news(memory, ret_event);
}

bool hf_audit_of_override(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT * 2];

    if (policy->override == NULL)
        return false;
    (void)snprintf(subject, sizeof(subject), "policy/%s", policy->name != NULL ? policy->name : "");
    hf_audit_event_set(ret_event, HF_AUDIT_OVERRIDE_USED, subject, "AllowPrune", policy->override);
    return is_news(memory, ret_event);
}

/* ---- objects and configuration ----------------------------------------------------------------------------------- */

bool hf_audit_of_refused(struct hf_audit_memory *memory, const struct hf_refused *refused,
                         struct hf_audit_event *ret_event)
{
    char subject[HF_AUDIT_SUBJECT * 2];

    (void)snprintf(subject, sizeof(subject), "object/%.60s/%.180s", refused->kind, refused->name);
    hf_audit_event_set(ret_event, HF_AUDIT_OBJECT_REFUSED, subject, "Invalid", refused->text);
    if (!has_entry(memory, ret_event) && count_present(memory) >= HF_AUDIT_MAX_REMEMBERED / 2)
        return false;
    return is_news(memory, ret_event);
}

/* For a file or folder whose hash stands in the subject. */
static bool is_new_content(struct hf_audit_memory *memory, const struct hf_audit_event *event)
{
    if (memory->may_have_forgotten && !has_entry(memory, event)) {
        learn(memory, event, false);
        return false;
    }
    return is_news(memory, event);
}

bool hf_audit_of_configuration(struct hf_audit_memory *memory, const struct hf_audit_configuration *configuration,
                               struct hf_audit_event *ret_event)
{
    char subject[64], text[HF_AUDIT_MESSAGE * 2];

    (void)snprintf(subject, sizeof(subject), "agent.yaml@%.12s", configuration->digest);
    if (configuration->n_faults > 0)
        (void)snprintf(text, sizeof(text), "%zu faults, the first one: %.400s", configuration->n_faults,
                       configuration->fault);
    else
        (void)snprintf(text, sizeof(text), "%s", configuration->summary);
    hf_audit_event_set(ret_event, HF_AUDIT_CONFIGURATION_CHANGED, subject, configuration->n_faults > 0 ? "Faulty" : "",
                       text);
    return is_new_content(memory, ret_event);
}

bool hf_audit_of_trust(struct hf_audit_memory *memory, const char *stamp, const char *keys,
                       struct hf_audit_event *ret_event)
{
    char subject[64];

    (void)snprintf(subject, sizeof(subject), "trust.d@%.12s", stamp);
    hf_audit_event_set(ret_event, HF_AUDIT_TRUST_CHANGED, subject, "", keys);
    return is_new_content(memory, ret_event);
}

/* ---- hold and contact -------------------------------------------------------------------------------------------- */

/* A state that begins and ends: the end is worth an entry only after a beginning. */
static bool pair(struct hf_audit_memory *memory, bool on, const struct hf_audit_event *begin,
                 const struct hf_audit_event *end, struct hf_audit_event *ret_event)
{
    *ret_event = on ? *begin : *end;
    if (!on && !has_entry(memory, end))
        return false;
    return is_news(memory, ret_event);
}

bool hf_audit_of_hold(struct hf_audit_memory *memory, bool active, const char *reason, struct hf_audit_event *ret_event)
{
    struct hf_audit_event begin, end;

    hf_audit_event_set(&begin, HF_AUDIT_HOLD_SET, "site", "Held", reason);
    hf_audit_event_set(&end, HF_AUDIT_HOLD_ENDED, "site", "", "");
    return pair(memory, active, &begin, &end, ret_event);
}

bool hf_audit_of_contact(struct hf_audit_memory *memory, bool stale, const char *text, struct hf_audit_event *ret_event)
{
    struct hf_audit_event begin, end;

    hf_audit_event_set(&begin, HF_AUDIT_WENT_STALE, "contact", "", text);
    hf_audit_event_set(&end, HF_AUDIT_CAME_BACK, "contact", "", "contact with the source of desired state again");
    return pair(memory, stale, &begin, &end, ret_event);
}
