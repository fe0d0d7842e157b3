/* SPDX-License-Identifier: Apache-2.0 */
/* A builder remembers the first failure, and the caller drops an incomplete tree as a whole. The essence is built
 * first without labels, keys and origins of sections, then shortened (hf_status_fit()), then completed: these parts
 * must not make it shorten texts. Conditions are updated in place in the caller's array, because their transition
 * times must survive; a condition that does not apply is removed.
 *
 * Lists have limits, so a status stays bounded; texts are cut between UTF-8 characters. hf_status_body() adds the
 * volatile part to a copy and replaces characters that a terminal could interpret, because kubectl prints texts of
 * objects, programs and servers. */
#include "agent/report/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/conditions.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "codec/plain.h"

/* Remembers a failure until the end of building: the caller drops an incomplete tree as a whole. */
struct builder {
    json_t *at;
    bool failed;
};

static void put(struct builder *b, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new_nocheck(b->at, key, value) < 0)
        b->failed = true;
}

/* Cuts the text before the first byte that is not UTF-8. */
static void put_text(struct builder *b, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        put(b, key, json_stringn_nocheck(text, hf_utf8_prefix(text, strlen(text))));
}

/* Cuts the text between two UTF-8 characters, and before an invalid one. */
static void put_message(struct builder *b, const char *key, const char *text)
{
    size_t n = text == NULL ? 0 : hf_utf8_prefix(text, HF_MIN(strlen(text), (size_t)HF_STATUS_MAX_MESSAGE));

    if (n > 0)
        put(b, key, json_stringn_nocheck(text, n));
}

static void put_time(struct builder *b, const char *key, uint64_t unix_ns)
{
    char text[HF_TIME_TEXT];

    if (unix_ns != 0 && unix_ns != HF_NEVER)
        put(b, key, json_string(hf_format_time(unix_ns, text)));
}

static void append(struct builder *list, struct builder *item)
{
    if (item->failed || json_array_append(list->at, item->at) < 0)
        list->failed = true;
    json_decref(item->at);
}

static struct builder object(void)
{
    json_t *at = json_object();

    return (struct builder){at, at == NULL};
}

static struct builder array(void)
{
    json_t *at = json_array();

    return (struct builder){at, at == NULL};
}

/* Adds a finished part under `key`, unless it is an empty list. Takes over the reference. */
static void put_built(struct builder *b, const char *key, struct builder *part)
{
    if (part->failed)
        b->failed = true;
    if (!part->failed && (!json_is_array(part->at) || json_array_size(part->at) > 0))
        put(b, key, json_incref(part->at));
    json_decref(part->at);
}

static void put_agent(struct builder *b, const struct hf_status_view *view)
{
    static const char *const features[] = {"delta/1", "tree/1", "spool/1"};
    struct builder agent = object(), list = array();

    put_text(&agent, "version", view->version);
    put_text(&agent, "mode", view->pod_mode ? "Pod" : "Host");
    put_text(&agent, "state", view->stopped ? "Stopped" : view->once ? "Once" : "");
    for (size_t i = 0; i < HF_LEN(features); i++)
        if (json_array_append_new(list.at, json_string(features[i])) < 0)
            list.failed = true;
    put_built(&agent, "features", &list);
    put_built(b, "agent", &agent);
}

static void put_update(struct builder *list, const struct hf_update_status *update)
{
    struct builder item = object();

    put_text(&item, "name", update->name);
    put_text(&item, "phase", hf_phase_name(update->phase));
    put_text(&item, "version", update->version);
    put_text(&item, "installedVersion", update->installed);
    put(&item, "sequence", json_integer((json_int_t)update->sequence));
    put_text(&item, "digest", update->digest);
    put_text(&item, "from", update->from);
    put_text(&item, "method", update->method);
    if (update->bytes_fetched != 0)
        put(&item, "bytesFetched", json_integer((json_int_t)update->bytes_fetched));
    if (update->attempts != 0)
        put(&item, "attempts", json_integer(update->attempts));
    put_text(&item, "reason", update->reason);
    put_message(&item, "message", update->message);
    put_time(&item, "time", update->time_unix_ns);
    append(list, &item);
}

/* The first policy in effect, and the interval in which to expect the next status. */
static void put_policy(struct builder *b, const struct hf_status_view *view)
{
    const struct hf_policy_set *set = view->policies;
    const struct hf_policy_origin *first = set->n_origins > 0 ? &set->origins[0] : NULL;
    struct builder policy = object();
    char interval[HF_DURATION_TEXT];

    put(&policy, "name", json_string(first != NULL ? first->name : ""));
    if (first != NULL && first->generation != 0)
        put(&policy, "observedGeneration", json_integer(first->generation));
    put_text(&policy, "interval", hf_format_duration(set->effective->interval_ns, interval));
    put_built(b, "policy", &policy);
}

/* The names of all policies but the first in one text, for a column of kubectl: it shows no lists. */
static void put_others(struct builder *policy, const struct hf_policy_set *set)
{
    char names[HF_STATUS_MAX_OTHERS + 1] = "";
    size_t used = 0;

    for (size_t i = 1; i < set->n_origins && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 1 ? "," : "", set->origins[i].name);
    put_text(policy, "others", names);
}

/* All policies in effect, in order, and the origin of each section. One policy alone decides them all, and has its name
 * and generation beside these lists. */
static void put_origins(struct builder *b, const struct hf_policy_set *set)
{
    struct builder policy = {json_object_get(b->at, "policy"), false}, policies = array(), sections = array();
    bool several = set->n_origins > 1;

    for (size_t i = 0; several && i < HF_MIN(set->n_origins, (size_t)HF_STATUS_MAX_POLICIES); i++) {
        struct builder item = object();
        put_text(&item, "name", set->origins[i].name);
        if (set->origins[i].generation != 0)
            put(&item, "observedGeneration", json_integer(set->origins[i].generation));
        append(&policies, &item);
    }
    for (size_t i = 0; several && i < HF_MIN(set->n_sections, (size_t)HF_STATUS_MAX_SECTIONS); i++) {
        struct builder item = object();
        put_text(&item, "path", set->sections[i].path);
        put_text(&item, "policy", set->sections[i].from->name);
        if (set->sections[i].is_signed)
            put(&item, "signed", json_true());
        append(&sections, &item);
    }
    put_others(&policy, set);
    put_built(&policy, "policies", &policies);
    put_built(&policy, "sections", &sections);
    b->failed |= policy.failed;
}

static bool named(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), "name", ""), name) == 0)
            return true;
    return false;
}

/* The list of updates has a refused EdgeUpdate, or an unreadable file that may be one, under its own name, unless a
 * release has that name (a list map holds a key once). The conditions name it in both cases. */
static void put_updates(struct builder *b, const struct hf_status_view *view)
{
    struct builder list = array();

    for (size_t i = 0; i < view->n_updates && i < HF_STATUS_MAX_UPDATES; i++)
        put_update(&list, &view->updates[i]);
    for (size_t i = 0; i < view->n_refused && json_array_size(list.at) < HF_STATUS_MAX_UPDATES; i++) {
        const struct hf_refused *refused = &view->refused[i];
        struct builder item = object();
        bool is_update = strcmp(refused->kind, "EdgeUpdate") == 0 || strcmp(refused->kind, "File") == 0;
        if (is_update && !named(list.at, refused->name)) {
            put_text(&item, "name", refused->name);
            put_text(&item, "phase", hf_phase_name(HF_PHASE_REJECTED));
            put_text(&item, "reason", "ObjectRefused");
            put_message(&item, "message", refused->text);
            append(&list, &item);
        } else {
            json_decref(item.at);
        }
    }
    put_built(b, "updates", &list);
}

static void put_disks(struct builder *b, const struct hf_status_view *view)
{
    struct builder list = array();

    for (size_t i = 0; i < view->n_disks && i < HF_STATUS_MAX_DISKS; i++) {
        struct builder item = object();
        put_text(&item, "path", view->disks[i].path);
        put_text(&item, "level", view->disks[i].missing ? "Missing" : hf_disk_level_name(view->disks[i].level));
        if (!view->disks[i].missing)
            put(&item, "usedPercent", json_integer(view->disks[i].used_percent));
        if (view->disks[i].inodes_used_percent != 0)
            put(&item, "inodesUsedPercent", json_integer(view->disks[i].inodes_used_percent));
        if (view->disks[i].read_only)
            put(&item, "readOnly", json_true());
        if (view->disks[i].has_wear)
            put(&item, "wearPercent", json_integer(view->disks[i].wear_percent));
        append(&list, &item);
    }
    put_built(b, "disk", &list);
}

static void put_hold(struct builder *b, const struct hf_status_view *view)
{
    struct builder hold = object();

    if (view->hold == NULL) {
        json_decref(hold.at);
        return;
    }
    put(&hold, "active", json_true());
    put_text(&hold, "reason", view->hold->reason);
    put_time(&hold, "since", view->hold->since_unix_ns);
    put_time(&hold, "until", view->hold_end_unix_ns);
    put_built(b, "hold", &hold);
}

/* The first ones in the order of their keys, so that a status stays bounded and equal labels give equal text. */
static void put_labels(struct builder *b, const struct hf_status_view *view)
{
    struct builder labels = object();
    const char *key;
    json_t *value;

    if (view->labels == NULL) {
        json_decref(labels.at);
        return;
    }
    json_object_foreach(hf_json_mutable(view->labels), key, value)
        if (json_object_size(labels.at) < HF_STATUS_MAX_LABELS && json_object_set(labels.at, key, value) < 0)
            labels.failed = true;
    put_built(b, "labels", &labels);
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static int drop_condition(json_t *conditions, const char *type)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const char *has = json_string_value(json_object_get(json_array_get(conditions, i), "type"));
        if (has != NULL && strcmp(has, type) == 0)
            return json_array_remove(conditions, i) == 0 ? 0 : -ENOMEM;
    }
    return 0;
}

static int set_condition(json_t *conditions, const char *type, bool present, const struct hf_readiness_part *part,
                         uint64_t now_unix_ns)
{
    /* Without the generation, which the status has once: in each condition it would be a twentieth of a small
     * status. */
    struct hf_condition condition = {type, part->status, part->reason, part->message, 0};

    return present ? hf_conditions_set(conditions, &condition, now_unix_ns) : drop_condition(conditions, type);
}

static int set_simple(json_t *conditions, const char *type, const char *status, const char *reason, const char *message,
                      uint64_t now_unix_ns)
{
    struct hf_readiness_part part = {.status = status};

    if (status == NULL)
        return drop_condition(conditions, type);
    (void)snprintf(part.reason, sizeof(part.reason), "%s", reason);
    (void)snprintf(part.message, sizeof(part.message), "%s", message);
    return set_condition(conditions, type, true, &part, now_unix_ns);
}

/* Names the fields of the policy that this program ignores, so that nobody relies on them. */
static int set_policy(json_t *conditions, const struct hf_status_view *view, uint64_t now_unix_ns)
{
    char message[HF_READINESS_MESSAGE] = "";
    size_t n = 0;

    for (size_t i = 0;
         i < HF_LEN(view->policies->effective->not_acted_on) && view->policies->effective->not_acted_on[i] != NULL; i++)
        n += (size_t)snprintf(message + n, sizeof(message) - n, "%s%s", i > 0 ? ", " : "this version ignores ",
                              view->policies->effective->not_acted_on[i]);
    if (n == 0 && view->labels_refused->n_errors > 0)
        n = (size_t)snprintf(message, sizeof(message), "%s: %s", view->labels_refused->errors[0].path,
                             view->labels_refused->errors[0].text);
    return set_simple(conditions, "PolicyActedOn", n > 0 ? "False" : NULL,
                      view->labels_refused->n_errors > 0 ? "LabelRefused" : "PartsNotSupported", message, now_unix_ns);
}

/* Names the first field in which two policies contradict each other, and how many others there are. */
static int set_conflict(json_t *conditions, const struct hf_policy_set *set, uint64_t now_unix_ns)
{
    static const char *const reasons[HF_POLICY_PASSED_COUNT] = {[HF_POLICY_PASSED_CONFLICT] = "SamePriority",
                                                                [HF_POLICY_PASSED_NO_ROOM] = "NoRoom",
                                                                [HF_POLICY_PASSED_CIRCLE] = "Circle",
                                                                [HF_POLICY_PASSED_NEEDS_SIGNATURE] = "NeedsSignature"};
    const struct hf_policy_passed_over *first = NULL;
    char text[HF_READINESS_MESSAGE], more[64] = "", message[HF_READINESS_MESSAGE + sizeof(more)] = "";
    size_t n = 0;

    for (size_t i = 0; i < set->n_passed; i++) {
        if (!hf_policy_set_is_conflict(set->passed[i].why))
            continue;
        first = first != NULL ? first : &set->passed[i];
        n++;
    }
    if (n > 1)
        (void)snprintf(more, sizeof(more), " (and %zu more)", n - 1);
    if (first != NULL)
        (void)snprintf(message, sizeof(message), "%s%s", hf_policy_set_passed_text(first, text, sizeof(text)), more);
    return set_simple(conditions, "PolicyConflict", n > 0 ? "True" : NULL, n > 0 ? reasons[first->why] : "", message,
                      now_unix_ns);
}

static int set_clock(json_t *conditions, const struct hf_status_view *view, uint64_t now_unix_ns)
{
    static const struct hf_status_trouble rows[] = {
        [HF_STATUS_CLOCK_FINE] = {"", ""},
        [HF_STATUS_CLOCK_BEYOND_MAX_SKEW] =
            {"BeyondMaxSkew",
             "this node's clock differs from the API server's by more than the policy's clock.maxSkew: "
             "synchronize it, or set clock.resync"},
        [HF_STATUS_CLOCK_NOT_SYNCHRONIZED] =
            {"NotSynchronized", "no time server keeps this node's clock, and no API server has confirmed it since the "
                                "start of the agent: install chrony or systemd-timesyncd"},
    };

    return set_simple(conditions, "ClockSynced", view->clock == HF_STATUS_CLOCK_FINE ? NULL : "False",
                      rows[view->clock].reason, rows[view->clock].message, now_unix_ns);
}

static int set_manifests(json_t *conditions, const struct hf_status_view *view, uint64_t now_unix_ns)
{
    struct hf_readiness_params params = {.known = true};
    struct hf_status_manifests judged;

    hf_status_manifests_judge(view->manifests, view->n_manifests, &judged, &params);
    const char *names = params.manifests_failed != NULL ? params.manifests_failed : params.manifests_pending;
    return set_simple(conditions, "ManifestsApplied", names != NULL ? "False" : NULL,
                      params.manifests_failed != NULL ? "ManifestsFailed" : "ManifestsPending", names, now_unix_ns);
}

static const char *truth(bool holds)
{
    return holds ? "True" : "False";
}

/* Conditions that the status has only while there is something to say. */
static int set_others(json_t *conditions, const struct hf_status_view *view, uint64_t now_unix_ns)
{
    const char *shared = "another agent writes the EdgeNode of this name: give each node its own --node-name and "
                         "--state-dir";
    const struct {
        const char *type, *status;
        struct hf_status_trouble trouble;
    } rows[] = {
        {"DiskPressure", "True", view->disk_pressure},
        {"MemoryPressure", "True", view->memory_pressure},
        {"LogRotation", "False", view->log_rotation},
        {"HostLife", truth(view->host_life.good), {view->host_life.reason, view->host_life.message}},
        {"ImagesVerified", truth(view->images.good), {view->images.reason, view->images.message}},
        {"MirrorConfigured", truth(view->mirror.good), {view->mirror.reason, view->mirror.message}},
        {"ImagesReady", truth(view->prefetch.good), {view->prefetch.reason, view->prefetch.message}},
        {"PolicyTrusted", "False", view->policy_distrust},
        {"ConfigurationValid", "False", {"Faulty", view->config_fault}},
        {"NodeNameShared", "True", {"AnotherAgentWrites", view->name_shared ? shared : NULL}},
        {"LabelsApplied", "False", {"ApplyRefused", view->failure.labels}},
        {"StatusDelivered", "False", {"Refused", view->failure.delivery}},
        {"StateWritable", "False", {"WriteFailed", view->failure.disk}},
        {"TrustFolderSafe", "False", {"FilesAtRisk", view->failure.trust}},
        {"SourceReadable", "False", view->source},
        {"FloorsKnown", "False", view->floors},
        {"FeaturesPresent", "False", {"LeftOut", view->left_out}},
        {"ClientCertificateValid", truth(view->certificate_valid), view->certificate},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(rows); i++) {
        bool present = rows[i].trouble.reason != NULL && rows[i].trouble.message != NULL;
        r = set_simple(conditions, rows[i].type, present ? rows[i].status : NULL, rows[i].trouble.reason,
                       rows[i].trouble.message, now_unix_ns);
    }
    return r;
}

static int set_conditions(json_t *conditions, const struct hf_status_view *view, uint64_t now_unix_ns)
{
    static const struct hf_readiness_part stopped = {.status = "Unknown",
                                                     .reason = "AgentStopped",
                                                     .message =
                                                         "the agent was stopped: installed releases stay as they are, "
                                                         "and the node reports nothing until the agent runs again"};
    const struct hf_readiness *readiness = view->readiness;
    int r = set_condition(conditions, "Ready", true, view->stopped ? &stopped : &readiness->ready, now_unix_ns);

    if (r == 0)
        r = set_condition(conditions, "Reconciling", readiness->is_reconciling && !view->stopped,
                          &readiness->reconciling, now_unix_ns);
    if (r == 0)
        r = set_condition(conditions, "Stalled", readiness->is_stalled, &readiness->stalled, now_unix_ns);
    if (r == 0)
        r = set_policy(conditions, view, now_unix_ns);
    if (r == 0)
        r = set_conflict(conditions, view->policies, now_unix_ns);
    if (r == 0)
        r = set_manifests(conditions, view, now_unix_ns);
    if (r == 0)
        r = set_clock(conditions, view, now_unix_ns);
    return r == 0 ? set_others(conditions, view, now_unix_ns) : r;
}

static void put_trust(struct builder *b, const struct hf_trust_ids *ids)
{
    struct builder trust = object();
    json_t *keys = json_array();

    for (unsigned i = 0; i < HF_MIN(ids->n, (unsigned)HF_STATUS_MAX_KEYS); i++)
        if (json_array_append_new(keys, json_string(ids->ids[i])) < 0)
            trust.failed = true;
    put(&trust, "keys", keys);
    if (ids->n > HF_STATUS_MAX_KEYS)
        put(&trust, "more", json_integer((json_int_t)ids->n - HF_STATUS_MAX_KEYS));
    put_built(b, "trust", &trust);
}

int hf_status_essence(const struct hf_status_view *view, json_t *conditions, uint64_t now_unix_ns, json_t **ret_essence)
{
    struct builder b = object(), contact = object(), clock = object();

    if (view->observed_generation != 0)
        put(&b, "observedGeneration", json_integer(view->observed_generation));
    put_agent(&b, view);
    put_text(&contact, "state", hf_staleness_name(view->staleness));
    put_text(&contact, "reason", view->contact_reason);
    put_built(&b, "contact", &contact);
    put(&clock, "synchronized", json_boolean(view->clock_synchronized));
    put_built(&b, "clock", &clock);
    put_policy(&b, view);
    put_updates(&b, view);
    if (view->n_manifests > 0)
        put(&b, "manifests", hf_status_manifests_list(view->manifests, view->n_manifests));
    put_disks(&b, view);
    put_hold(&b, view);
    if (set_conditions(conditions, view, now_unix_ns) < 0)
        b.failed = true;
    put(&b, "conditions", json_deep_copy(conditions));
    if (b.failed) {
        json_decref(b.at);
        return -ENOMEM;
    }
    hf_status_fit(b.at); /* neither labels nor sections may make it shorten texts */
    put_labels(&b, view);
    if (view->trusted != NULL)
        put_trust(&b, view->trusted);
    put_origins(&b, view->policies);
    if (b.failed) {
        json_decref(b.at);
        return -ENOMEM;
    }
    *ret_essence = b.at;
    return 0;
}

static bool same_conditions(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"type", "status", "reason", "message", "observedGeneration"};

    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        for (size_t k = 0; k < HF_LEN(keys); k++) {
            const json_t *x = json_object_get(json_array_get(a, i), keys[k]);
            const json_t *y = json_object_get(json_array_get(b, i), keys[k]);
            if (x != y && json_equal(x, y) == 0)
                return false;
        }
    return true;
}

bool hf_status_same(const json_t *essence_a, const json_t *essence_b)
{
    const char *key;
    json_t *value;

    if (essence_a == NULL || essence_b == NULL || json_object_size(essence_a) != json_object_size(essence_b))
        return false;
    json_object_foreach((json_t *)(uintptr_t)essence_a, key, value) {
        const json_t *other = json_object_get(essence_b, key);
        if (strcmp(key, "conditions") == 0 ? !same_conditions(value, other) : json_equal(value, other) == 0)
            return false;
    }
    return true;
}

/* ---- the body of an apply ---------------------------------------------------------------------------------------- */

static struct builder head(const char *node_name)
{
    struct builder b = object(), meta = object();

    put_text(&b, "apiVersion", HF_API_GROUP_VERSION);
    put_text(&b, "kind", "EdgeNode");
    put_text(&meta, "name", node_name);
    put_built(&b, "metadata", &meta);
    return b;
}

static int finish(struct builder *b, json_t **ret_body)
{
    if (b->failed) {
        json_decref(b->at);
        return -ENOMEM;
    }
    *ret_body = b->at;
    return 0;
}

int hf_status_object(const char *node_name, json_t **ret_body)
{
    struct builder b = head(node_name);

    return finish(&b, ret_body);
}

static void put_number(struct builder *b, const char *key, uint64_t number)
{
    if (number != 0)
        put(b, key, json_integer((json_int_t)HF_MIN(number, (uint64_t)INT64_MAX)));
}

static void put_network(struct builder *status, const struct hf_status_network *network)
{
    struct builder part = object();

    put_number(&part, "apiRoundTripMilliseconds", (network->api_round_trip_ns + HF_NS_PER_MS - 1) / HF_NS_PER_MS);
    put_number(&part, "downloadBytesPerSecond", network->download_bytes_per_second);
    put_number(&part, "bytesToday", network->bytes_today);
    put_number(&part, "maxBytesPerDay", network->max_bytes_per_day);
    put_built(status, "network", &part);
}

/* The parts that other parts of the agent measure. */
static void put_measured(struct builder *status, const struct hf_status_volatile *moving)
{
    struct builder writes = object(), journal = object();

    if (moving->network.present)
        put_network(status, &moving->network);
    put(&writes, "bytesToday", json_integer((json_int_t)moving->writes.bytes_today));
    put_number(&writes, "budgetBytes", moving->writes.budget_bytes);
    put(&journal, "entries", json_integer((json_int_t)moving->journal.entries));
    put_text(&journal, "lastHash", moving->journal.last_hash);
    if (moving->writes.present)
        put_built(status, "writes", &writes);
    else
        json_decref(writes.at);
    if (moving->journal.present)
        put_built(status, "journal", &journal);
    else
        json_decref(journal.at);
}

int hf_status_body(const char *node_name, const json_t *essence, const struct hf_status_volatile *moving,
                   json_t **ret_body)
{
    json_t *copy = json_deep_copy(essence);
    struct builder b = head(node_name), status = {copy, copy == NULL};
    struct builder contact = {json_object_get(copy, "contact"), copy == NULL};
    struct builder clock = {json_object_get(copy, "clock"), copy == NULL};

    put(&status, "sequence", json_integer((json_int_t)moving->sequence));
    put_time(&status, "observedTime", moving->observed_unix_ns);
    put_time(&contact, "lastTime", moving->contact_unix_ns);
    if (moving->has_offset)
        put(&clock, "offsetMilliseconds", json_integer(-moving->offset_ns / (int64_t)HF_NS_PER_MS));
    put_measured(&status, moving);
    if (moving->telemetry != NULL)
        put(&status, "telemetry", moving->telemetry);
    if (contact.failed || clock.failed)
        b.failed = true;
    /* It repeats texts of objects, programs and servers, and kubectl prints them. */
    if (hf_plain_tree(status.at) < 0)
        b.failed = true;
    put_built(&b, "status", &status);
    return finish(&b, ret_body);
}
