/* SPDX-License-Identifier: Apache-2.0 */
#include "api/syncpolicy.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "api/field/text.h"
#include "api/schema.h"
#include "api/zone.h"
#include "base/parse.h"

#define HF_METERED_BYTES_PER_DAY (UINT64_C(100) << 20) /* default if `metered` */

#define S HF_NS_PER_S
#define H (3600 * HF_NS_PER_S)
#define MIB (1ull << 20)

static const char *const expiries[HF_ON_EXPIRY_COUNT + 1] = {
    [HF_ON_EXPIRY_HOLD] = "Hold", [HF_ON_EXPIRY_CONTINUE] = "Continue", NULL};

static const struct hf_field stale_fields[] = {
    HF_FIELD_DURATION(struct hf_syncpolicy, stale_window_ns, "window", "72h", 60 * S, 8760 * H),
    HF_FIELD_WORD(struct hf_syncpolicy, on_expiry, "onExpiry", "Hold", expiries),
    {0}};

static const struct hf_field clock_fields[] = {
    HF_FIELD_DURATION(struct hf_syncpolicy, clock_max_skew_ns, "maxSkew", "5m", S, 24 * H),
    HF_FIELD_BOOL(struct hf_syncpolicy, clock_resync, "resync", "false"),
    {0}};

static const struct hf_field label_fields[] = {
    HF_FIELD_OF(HF_KIND_LABELS, struct hf_syncpolicy, static_labels, "static", .max = HF_MAX_POLICY_LABELS),
    HF_FIELD_BOOL(struct hf_syncpolicy, detect_labels, "detect", "true"),
    {0}};

/* A label outside our prefix may belong to another field manager; applying it would take it over. */
static void finish_labels(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_syncpolicy *policy = object;
    size_t before = hf_decode_enter(decode, "static", 0);
    const char *key;
    json_t *value;

    json_object_foreach(policy->static_labels, key, value)
        if (strncmp(key, HF_LABEL_PREFIX, strlen(HF_LABEL_PREFIX)) != 0)
            hf_decode_error_at(decode, key, "expected a label under " HF_LABEL_PREFIX);
    hf_decode_leave(decode, before);
}

static bool is_folder(const char *text)
{
    return strcmp(text, "/") == 0 || hf_text_is_path(text);
}

static const struct hf_field disk_fields[] = {
    HF_FIELD_INTEGER(struct hf_policy_disk, warn_percent, "warnPercent", "70", 1, 100),
    HF_FIELD_INTEGER(struct hf_policy_disk, critical_percent, "criticalPercent", "85", 1, 100),
    HF_FIELD_TEXTS(struct hf_policy_disk, paths, "paths", HF_MAX_DISK_PATHS, 1024, is_folder,
                   "an absolute path without . and .. and //"),
    HF_FIELD_BOOL(struct hf_policy_disk, reclaim, "reclaim", "false"),
    HF_FIELD_QUANTITY(struct hf_policy_disk, write_budget_bytes, "writeBudget", MIB, 1ull << 40),
    {0}};

static void finish_disk(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_policy_disk *disk = object;

    if (disk->warn_percent > disk->critical_percent)
        hf_decode_error(decode, "warnPercent (%u) must not be above criticalPercent (%u)", disk->warn_percent,
                        disk->critical_percent);
}

static const struct hf_field retain_fields[] = {
    HF_FIELD_BOOL(struct hf_policy_retain, current, "current", "false"),
    HF_FIELD_BOOL(struct hf_policy_retain, previous, "previous", "false"),
    HF_FIELD_QUANTITY(struct hf_policy_retain, max_bytes, "maxBytes", MIB, 1ull << 40),
    {0}};

static void finish_retain(HF_UNUSED struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_policy_retain *retain = object;

    if (json_object_get(json, "maxBytes") == NULL)
        retain->max_bytes = HF_RETAIN_MAX_BYTES;
}

static const struct hf_field share_fields[] = {
    HF_FIELD_BOOL(struct hf_syncpolicy, share_neighbours, "neighbours", "false"), {0}};

static bool is_digest(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && hf_text_is_sha256(text + 7);
}

/* As HF_KIND_TEXTS would, but without an array of pointers in each policy. */
static void decode_digests(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    size_t n = json_array_size(value);

    if (value == NULL)
        return;
    if (!json_is_array(value) || n < field->min || n > field->max) {
        hf_decode_error(decode, "expected a list of %ju to %ju digests", (uintmax_t)field->min, (uintmax_t)field->max);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        size_t before = hf_decode_enter(decode, NULL, i);
        if (text == NULL || !is_digest(text))
            hf_decode_error(decode, "expected a digest: sha256: and 64 lower-case hex digits");
        hf_decode_leave(decode, before);
    }
    *(json_t **)slot = value;
}

static const struct hf_field allow_fields[] = {
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_policy_images, allowed, "digests", .decode = decode_digests, .min = 1,
                .max = HF_MAX_ALLOWED_IMAGES, HF_REQUIRED),
    HF_FIELD_OF(HF_KIND_TIME, struct hf_policy_images, allowed_expires_unix_ns, "expires", HF_REQUIRED),
    {0}};

/* "images.example", "registry.example:5000", "http://registry.example" */
static bool is_registry(const char *text)
{
    const char *host = strncmp(text, "http://", 7) == 0 ? text + 7 : text, *colon = strchr(host, ':');
    size_t n = colon != NULL ? (size_t)(colon - host) : strlen(host);
    uint64_t port;

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)host[i]) && strchr(".-", host[i]) == NULL)
            return false;
    return n > 0 && isalnum((unsigned char)host[0]) &&
           (colon == NULL || hf_parse_u64(colon + 1, 1, UINT16_MAX, &port) == 0);
}

static const struct hf_field mirror_fields[] = {
    HF_FIELD_TEXTS(struct hf_policy_images, mirror_registries, "registries", HF_MAX_MIRROR_REGISTRIES, 253, is_registry,
                   "a host, perhaps with a port, and with http:// before it where it has no TLS", .min = 1,
                   HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_policy_images, mirror_port, "port", "295", 1, UINT16_MAX),
    HF_FIELD_BOOL(struct hf_policy_images, mirror_configure, "configure", "false"),
    HF_FIELD_QUANTITY(struct hf_policy_images, mirror_max_bytes, "maxBytes", MIB, 1ull << 40),
    {0}};

/* "registry.example:5000/team/app:1.2@sha256:..." */
bool hf_syncpolicy_is_image(const char *text)
{
    const char *slash = strchr(text, '/'), *at = strchr(text, '@');

    if (slash == NULL || at == NULL || at <= slash || slash - text > 255 || at - slash > 255 || !is_digest(at + 1))
        return false;
    const char *colon = memchr(slash, ':', (size_t)(at - slash)), *end = colon != NULL ? colon : at;
    for (const char *p = text; p < slash; p++)
        if (!isalnum((unsigned char)*p) && strchr(".-:", *p) == NULL)
            return false;
    for (const char *p = end + 1; p < at; p++)
        if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL)
            return false;
    return isalnum((unsigned char)text[0]) &&
           hf_text_is_repository((struct hf_view){slash + 1, (size_t)(end - slash - 1)});
}

static const struct hf_field prefetch_from_fields[] = {
    HF_FIELD_BOOL(struct hf_policy_images, prefetch_workloads, "workloads", "false"), {0}};

static const struct hf_field image_fields[] = {
    HF_FIELD_PART("allow", allow_fields),
    HF_FIELD_PART("mirror", mirror_fields),
    HF_FIELD_TEXTS(struct hf_policy_images, prefetch, "prefetch", HF_MAX_PREFETCH, 500, hf_syncpolicy_is_image,
                   "an image with its registry and digest, such as images.example/app@sha256:...", .min = 1),
    HF_FIELD_PART("prefetchFrom", prefetch_from_fields),
    {0}};

static const struct hf_field connectivity_fields[] = {
    HF_FIELD_LIST(struct hf_policy_connectivity, windows, n_windows, "windows", hf_window_fields, HF_MAX_WINDOWS,
                  .finish = hf_window_finish),
    HF_FIELD_BOOL(struct hf_policy_connectivity, metered, "metered", "false"),
    HF_FIELD_QUANTITY(struct hf_policy_connectivity, max_bytes_per_day, "maxBytesPerDay", MIB, 1ull << 40),
    {0}};

static void finish_connectivity(HF_UNUSED struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_policy_connectivity *connectivity = object;

    if (connectivity->metered && json_object_get(json, "maxBytesPerDay") == NULL)
        connectivity->max_bytes_per_day = HF_METERED_BYTES_PER_DAY;
}

static const struct hf_field spec_fields[] = {
    HF_FIELD_SELECTOR(struct hf_syncpolicy, node_selector, "nodeSelector"),
    HF_FIELD_INTEGER(struct hf_syncpolicy, priority, "priority", "0", (uint64_t)-1000000000, 1000000000),
    HF_FIELD_INTEGER(struct hf_syncpolicy, sequence, "sequence", NULL, 1, (1ull << 53) - 1),
    HF_FIELD_LIST(struct hf_syncpolicy, signatures, n_signatures, "signatures", hf_signature_fields, HF_MAX_SIGNATURES),
    HF_FIELD_DURATION(struct hf_syncpolicy, interval_ns, "interval", "5m", 10 * S, 24 * H),
    HF_FIELD_DURATION(struct hf_syncpolicy, retry_interval_ns, "retryInterval", "30s", S, H),
    HF_FIELD_DURATION(struct hf_syncpolicy, timeout_ns, "timeout", "2m", S, H),
    HF_FIELD_DURATION(struct hf_syncpolicy, removal_grace_ns, "removalGrace", NULL, 0, 8760 * H),
    HF_FIELD_PART("staleOk", stale_fields),
    HF_FIELD_PART("clock", clock_fields),
    HF_FIELD_PART("labels", label_fields, .finish = finish_labels),
    HF_FIELD_OBJECT(struct hf_syncpolicy, disk, "disk", disk_fields, .finish = finish_disk),
    HF_FIELD_OBJECT(struct hf_syncpolicy, retain, "retain", retain_fields, .finish = finish_retain),
    HF_FIELD_PART("share", share_fields),
    HF_FIELD_OBJECT(struct hf_syncpolicy, images, "images", image_fields),
    HF_FIELD_OBJECT(struct hf_syncpolicy, connectivity, "connectivity", connectivity_fields,
                    .finish = finish_connectivity),
    HF_FIELD_LIST(struct hf_syncpolicy, manifests, n_manifests, "manifests", hf_manifest_fields, HF_MAX_MANIFESTS,
                  .finish = hf_manifest_finish),
    HF_FIELD_OBJECT(struct hf_syncpolicy, telemetry, "telemetry", hf_telemetry_fields, .finish = hf_telemetry_finish),
    {0}};

/* Without a sequence, somebody could put an old signed policy in place of a newer one. */
static void finish_spec(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_syncpolicy *policy = object;

    if (json_object_get(json, "removalGrace") == NULL)
        policy->removal_grace_ns = policy->interval_ns;
    hf_signatures_finish(decode, policy->signatures, policy->n_signatures);
    hf_manifest_finish_all(decode, policy->manifests, policy->n_manifests);
    if (policy->n_signatures > 0 && json_object_get(json, "sequence") == NULL)
        hf_decode_error_at(decode, "sequence", "is required with signatures");
}

const struct hf_field hf_syncpolicy_fields[] = {HF_FIELD_PART("spec", spec_fields, .finish = finish_spec, HF_REQUIRED),
                                                {0}};

/* The status names these fields, so that nobody relies on one that this build ignores. */
static void note_not_acted_on(struct hf_syncpolicy *policy, const json_t *spec)
{
    static const char *const parts[] = {NULL}; /* NULL ends the list; this build acts on every part */
    size_t n = 0;

    _Static_assert(HF_LEN(parts) < HF_LEN(((struct hf_syncpolicy *)NULL)->not_acted_on), "the last one stays NULL");

    for (size_t i = 0; parts[i] != NULL; i++)
        if (json_object_get(spec, parts[i]) != NULL)
            policy->not_acted_on[n++] = parts[i];
}

int hf_syncpolicy_decode(json_t *json, struct hf_syncpolicy **ret_policy, struct hf_issues *issues)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = calloc(1, sizeof(*policy));

    if (policy == NULL)
        return -ENOMEM;
    policy->json = json_incref(json);
    int r = hf_meta_decode_object(json, "SyncPolicy", hf_syncpolicy_fields, &policy->meta, policy, issues);
    note_not_acted_on(policy, json_object_get(json, "spec"));
    if (r < 0)
        return r;
    *ret_policy = hf_steal(policy);
    return 0;
}

void hf_syncpolicy_free(struct hf_syncpolicy *policy)
{
    if (policy == NULL)
        return;
    hf_selector_done(&policy->node_selector);
    hf_telemetry_done(&policy->telemetry);
    for (size_t i = 0; i < policy->connectivity.n_windows; i++)
        hf_zone_free(policy->connectivity.windows[i].zone);
    free(policy->connectivity.windows);
    for (size_t i = 0; i < policy->n_manifests; i++)
        hf_manifest_done(&policy->manifests[i]);
    free(policy->manifests);
    free(policy->signatures);
    json_decref(policy->json);
    free(policy);
}
