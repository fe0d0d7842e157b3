/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of spec.manifests: the tables of its fields, the checks that no table can express, and its words.
 *
 * The tables (api/field/field.h) decode and check each field; finish functions check the fields of one entry against
 * each other, such as the target against what it needs. hf_manifest_finish_all() checks the entries of a list: names
 * are unique, each dependency exists, and no circle of dependencies exists. For that it places one entry after the
 * other behind those on which it depends; what cannot be placed is part of a circle or depends on one.
 *
 * The names of phases and reasons are made from the lists in the headers, so that no word can be missing. */
#include "api/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "api/manifest_reason.h"
#include "api/release.h"
#include "base/net/url_mask.h"
#include "base/parse.h"

#define S HF_NS_PER_S
#define MAX_SEQUENCE ((1ull << 53) - 1) /* the largest integer of canonical JSON */
#define DIGEST_PREFIX "sha256:"
#define NAME_WANTED "a name of lower case letters, digits and '-'"
#define UNIT_WANTED "a systemd unit such as x.service or x@1.service"
enum { MAX_URL = 2048, MAX_PATH_BYTES = 1024, MAX_ARGUMENT = 1024, MAX_VARIABLE = 63, MAX_DIGEST = 71 };

const char *const hf_manifest_flux_kinds[HF_MANIFEST_FLUX_COUNT + 1] = {
    [HF_MANIFEST_FLUX_GIT] = "GitRepository",
    [HF_MANIFEST_FLUX_OCI] = "OCIRepository",
    [HF_MANIFEST_FLUX_BUCKET] = "Bucket",
    [HF_MANIFEST_FLUX_EXTERNAL] = "ExternalArtifact",
    NULL,
};

#define WORD(name_, word_) [HF_MANIFEST_TO_##name_] = (word_),

const char *const hf_manifest_target_names[HF_MANIFEST_TARGETS + 1] = {HF_MANIFEST_TARGET_WORDS(WORD) NULL};

const char *const hf_manifest_when_alone_names[HF_MANIFEST_ALONES + 1] = {
    [HF_MANIFEST_ALONE_NONE] = "None",
    [HF_MANIFEST_ALONE_START] = "Start",
    NULL,
};

/* ---- forms of strings -------------------------------------------------------------------------------------------- */

static const char *bare_digest(const char *text)
{
    return strncmp(text, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) == 0 ? text + strlen(DIGEST_PREFIX) : text;
}

static bool is_archive(const char *text)
{
    return strncmp(text, "file:", 5) != 0 && hf_text_is_url(text);
}

static bool is_digest(const char *text)
{
    return hf_text_is_sha256(bare_digest(text));
}

static bool is_below(const char *text)
{
    char absolute[MAX_PATH_BYTES + 2];

    (void)snprintf(absolute, sizeof(absolute), "/%s", text);
    return text[0] != '/' && hf_text_is_path(absolute);
}

static bool is_target_path(const char *text)
{
    char path[MAX_PATH_BYTES + 1];
    size_t n = strlen(text);

    if (n > 1 && text[n - 1] == '/')
        n--;
    (void)snprintf(path, sizeof(path), "%.*s", (int)n, text);
    return hf_text_is_path(path);
}

static bool is_variable(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t n = strlen(text);

    return n > 0 && n <= MAX_VARIABLE && strspn(text, letters) == n && (text[0] < '0' || text[0] > '9');
}

/* ---- from -------------------------------------------------------------------------------------------------------- */

static const struct hf_field object_fields[] = {
    HF_FIELD_TEXT(struct hf_manifest_from, namespace_, "namespace", 1, 63, hf_text_is_name, NAME_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_manifest_from, name, "name", 1, 253, hf_text_is_object_name,
                  "the name of an object of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    {0}};

static const struct hf_field flux_fields[] = {
    HF_FIELD_OF(HF_KIND_WORD, struct hf_manifest_from, flux_kind, "kind", .required = true,
                .words = hf_manifest_flux_kinds),
    HF_FIELD_TEXT(struct hf_manifest_from, namespace_, "namespace", 1, 63, hf_text_is_name, NAME_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_manifest_from, name, "name", 1, 253, hf_text_is_object_name,
                  "the name of an object of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    {0}};

#define PATH_WANTED "an absolute path without . and .. and //"

static const struct hf_field from_fields[] = {
    HF_FIELD_PART("configMap", object_fields),
    HF_FIELD_PART("secret", object_fields),
    HF_FIELD_TEXT(struct hf_manifest_from, url, "url", 1, MAX_URL, is_archive,
                  "an http: or https: URL without user and blanks, or oci://HOST/REPOSITORY@sha256:DIGEST"),
    HF_FIELD_TEXT(struct hf_manifest_from, digest, "digest", 1, MAX_DIGEST, is_digest,
                  "sha256: and 64 lower-case hex digits"),
    HF_FIELD_PART("fluxSource", flux_fields),
    HF_FIELD_TEXT(struct hf_manifest_from, path, "path", 1, MAX_PATH_BYTES, hf_text_is_path, PATH_WANTED),
    HF_FIELD_TEXT(struct hf_manifest_from, sub_path, "subPath", 1, MAX_PATH_BYTES - 1, is_below,
                  "a relative path without . and .. and //"),
    {0}};

static const char *const from_keys[HF_MANIFEST_FROM_COUNT] = {
    [HF_MANIFEST_FROM_CONFIG_MAP] = "configMap", [HF_MANIFEST_FROM_SECRET] = "secret", [HF_MANIFEST_FROM_URL] = "url",
    [HF_MANIFEST_FROM_FLUX] = "fluxSource",      [HF_MANIFEST_FROM_PATH] = "path",
};

static void finish_from(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_manifest_from *from = object;
    unsigned n = 0;

    for (unsigned i = 0; i < HF_MANIFEST_FROM_COUNT; i++) {
        if (json_object_get(json, from_keys[i]) == NULL)
            continue;
        from->kind = (enum hf_manifest_from_kind)i;
        n++;
    }
    if (n != 1)
        hf_decode_error(decode, "expected exactly one of configMap, secret, url, fluxSource, path");
    if ((json_object_get(json, "url") != NULL) != (json_object_get(json, "digest") != NULL))
        hf_decode_error(decode, "set url and digest together");
    if (from->digest != NULL)
        from->digest = bare_digest(from->digest);
    if (n == 1 && from->sub_path != NULL &&
        (from->kind == HF_MANIFEST_FROM_CONFIG_MAP || from->kind == HF_MANIFEST_FROM_SECRET))
        hf_decode_error_at(decode, "subPath", "not with %s, whose keys are the file names", from_keys[from->kind]);
}

/* ---- what becomes of the files ----------------------------------------------------------------------------------- */

static void decode_mode(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    struct hf_manifest *manifest = slot;
    char shown[HF_VALUE_TEXT];
    unsigned mode;

    if (text == NULL || !hf_text_is_mode(text)) {
        hf_decode_error(decode, "expected octal digits in quotes such as \"0644\", got %s",
                        hf_decode_describe(value, shown));
        return;
    }
    mode = (unsigned)strtoul(text, NULL, 8);
    if (mode > HF_MAX_MANIFEST_MODE) {
        hf_decode_error(decode, "setuid, setgid and sticky are not allowed: use at most \"0777\"");
        return;
    }
    manifest->mode = mode;
    manifest->has_mode = true;
}

static void decode_owner(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value), *colon = text != NULL ? strchr(text, ':') : NULL;
    struct hf_manifest *manifest = slot;
    char user[16], shown[HF_VALUE_TEXT];
    uint64_t uid = 0, gid = 0;

    (void)snprintf(user, sizeof(user), "%.*s", colon != NULL ? (int)(colon - text) : 0, text != NULL ? text : "");
    if (colon == NULL || colon - text > 10 || hf_parse_u64(user, 0, UINT32_MAX - 1, &uid) < 0 ||
        hf_parse_u64(colon + 1, 0, UINT32_MAX - 1, &gid) < 0) {
        hf_decode_error(decode, "expected numbers of user and group in quotes such as \"1000:1000\", got %s",
                        hf_decode_describe(value, shown));
        return;
    }
    manifest->uid = (uid_t)uid;
    manifest->gid = (gid_t)gid;
    manifest->has_owner = true;
}

static const struct hf_field validate_fields[] = {
    HF_FIELD_TEXTS(struct hf_manifest, validate_command, "command", HF_MAX_ARGV, MAX_ARGUMENT, NULL, NULL, .min = 1,
                   HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_manifest, validate_timeout_ns, "timeout", "30s", S, 600 * S),
    {0}};

static void finish_validate(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_manifest *manifest = object;

    if (manifest->validate_command[0] != NULL && !hf_text_is_path(manifest->validate_command[0]))
        hf_decode_error_at(decode, "command", "expected an absolute path first, got '%.40s'",
                           manifest->validate_command[0]);
}

static const struct hf_field restart_fields[] = {
    HF_FIELD_TEXT(struct hf_manifest, restart_unit, "systemdUnit", 1, 255, hf_text_is_unit, UNIT_WANTED, HF_REQUIRED),
    {0}};
static const struct hf_field reload_fields[] = {
    HF_FIELD_TEXT(struct hf_manifest, reload_unit, "systemdUnit", 1, 255, hf_text_is_unit, UNIT_WANTED, HF_REQUIRED),
    {0}};

static void decode_substitute(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                              void *slot)
{
    char shown[HF_VALUE_TEXT];
    const char *key;
    json_t *text;

    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected an object of strings, got %s", hf_decode_describe(value, shown));
        return;
    }
    if (json_object_size(value) > HF_MAX_MANIFEST_VALUES)
        hf_decode_error(decode, "expected at most %d values, got %zu", HF_MAX_MANIFEST_VALUES, json_object_size(value));
    json_object_foreach(value, key, text) {
        size_t before = hf_decode_enter(decode, key, 0);
        if (!is_variable(key))
            hf_decode_error(decode, "expected a name of letters, digits and '_', at most %d bytes", MAX_VARIABLE);
        if (!json_is_string(text) || json_string_length(text) > HF_MAX_MANIFEST_VALUE_BYTES)
            hf_decode_error(decode, "expected a string of at most %d bytes, got %s", HF_MAX_MANIFEST_VALUE_BYTES,
                            hf_decode_describe(text, shown));
        hf_decode_leave(decode, before);
    }
    *(json_t **)slot = value;
}

/* ---- entry ------------------------------------------------------------------------------------------------------- */

const struct hf_field hf_manifest_fields[] = {
    HF_FIELD_TEXT(struct hf_manifest, name, "name", 1, 63, hf_text_is_name, NAME_WANTED, HF_REQUIRED),
    HF_FIELD_OBJECT(struct hf_manifest, from, "from", from_fields, .finish = finish_from, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_manifest, content_digest, "contentDigest", 1, MAX_DIGEST, is_digest,
                  "sha256: and 64 lower-case hex digits"),
    HF_FIELD_OF(HF_KIND_WORD, struct hf_manifest, to, "to", .required = true, .words = hf_manifest_target_names),
    HF_FIELD_TEXT(struct hf_manifest, path, "path", 1, MAX_PATH_BYTES, is_target_path, PATH_WANTED),
    {.name = "fileMode", .kind = HF_KIND_OTHER, .decode = decode_mode},
    {.name = "owner", .kind = HF_KIND_OTHER, .decode = decode_owner},
    HF_FIELD_PART("validate", validate_fields, .finish = finish_validate),
    HF_FIELD_PART("restart", restart_fields),
    HF_FIELD_PART("reload", reload_fields),
    HF_FIELD_LIST(struct hf_manifest, checks, n_checks, "healthChecks", hf_release_check_fields, HF_MAX_CHECKS,
                  .finish = hf_release_check_finish),
    HF_FIELD_DURATION(struct hf_manifest, health_deadline_ns, "healthDeadline", "2m", S, 86400 * S),
    HF_FIELD_BOOL(struct hf_manifest, prune, "prune", "false"),
    HF_FIELD_BOOL(struct hf_manifest, force, "force", "false"),
    HF_FIELD_WORD(struct hf_manifest, when_alone, "whenAlone", "None", hf_manifest_when_alone_names),
    HF_FIELD_TEXTS(struct hf_manifest, depends_on, "dependsOn", HF_MAX_MANIFEST_DEPENDENCIES, 63, hf_text_is_name,
                   "the name of an entry"),
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_manifest, substitute, "substitute", .decode = decode_substitute),
    HF_FIELD_INTEGER(struct hf_manifest, sequence, "sequence", NULL, 1, MAX_SEQUENCE),
    HF_FIELD_LIST(struct hf_manifest, signatures, n_signatures, "signatures", hf_signature_fields, HF_MAX_SIGNATURES),
    {0}};

static void finish_target(struct hf_decode *decode, const struct hf_manifest *manifest, json_t *json)
{
    static const char *const only_files[] = {"path", "fileMode", "owner", "validate", "restart", "reload"};

    if (json_object_get(json, "to") == NULL)
        return;
    if (manifest->when_alone != HF_MANIFEST_ALONE_NONE && manifest->to != HF_MANIFEST_TO_STATIC_PODS)
        hf_decode_error_at(decode, "whenAlone", "Start only with to: StaticPods");
    if (manifest->to == HF_MANIFEST_TO_FILES) {
        if (json_object_get(json, "path") == NULL)
            hf_decode_error_at(decode, "path", "is required with to: Files");
        if (manifest->restart_unit != NULL && manifest->reload_unit != NULL)
            hf_decode_error_at(decode, "reload", "not with restart: set one of them");
        return;
    }
    for (size_t i = 0; i < HF_LEN(only_files); i++)
        if (json_object_get(json, only_files[i]) != NULL)
            hf_decode_error_at(decode, only_files[i], "only with to: Files");
    if (manifest->from.kind == HF_MANIFEST_FROM_SECRET)
        hf_decode_error(decode, "from.secret needs to: Files, with a path below a tmpfs such as /run");
}

void hf_manifest_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_manifest *manifest = object;

    manifest->json = json;
    if (manifest->content_digest != NULL)
        manifest->content_digest = bare_digest(manifest->content_digest);
    finish_target(decode, manifest, json);
    for (size_t i = 0; i < HF_LEN(manifest->depends_on) && manifest->depends_on[i] != NULL; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(manifest->depends_on[i], manifest->depends_on[k]) == 0)
                hf_decode_error_at(decode, "dependsOn", "'%s' occurs twice", manifest->depends_on[i]);
    hf_signatures_finish(decode, manifest->signatures, manifest->n_signatures);
    if (manifest->n_signatures == 0)
        return;
    if (json_object_get(json, "sequence") == NULL)
        hf_decode_error_at(decode, "sequence", "is required with signatures");
    if (json_object_get(json, "contentDigest") == NULL && manifest->from.url == NULL)
        hf_decode_error_at(decode, "contentDigest", "is required with signatures, which need pinned content");
}

/* ---- entries among each other ------------------------------------------------------------------------------------ */

static size_t find_entry(const struct hf_manifest *manifests, size_t n, const char *name)
{
    size_t i = 0;

    while (i < n && (manifests[i].name == NULL || strcmp(manifests[i].name, name) != 0))
        i++;
    return i;
}

static void check_names(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct hf_manifest *entry = &manifests[i];
        size_t before = hf_decode_enter(decode, NULL, i);
        if (entry->name != NULL && find_entry(manifests, i, entry->name) < i)
            hf_decode_error_at(decode, "name", "'%s' occurs twice", entry->name);
        for (size_t k = 0; k < HF_LEN(entry->depends_on) && entry->depends_on[k] != NULL; k++)
            if (find_entry(manifests, n, entry->depends_on[k]) == n)
                hf_decode_error_at(decode, "dependsOn", "there is no entry '%s' in this policy", entry->depends_on[k]);
        hf_decode_leave(decode, before);
    }
}

/* True if each entry on which this one depends is in the set of placed entries. A missing entry counts as placed,
 * because check_names() has reported it. */
static bool may_follow(const struct hf_manifest *manifests, size_t n, size_t i, uint64_t placed)
{
    for (size_t k = 0; k < HF_LEN(manifests[i].depends_on) && manifests[i].depends_on[k] != NULL; k++) {
        size_t other = find_entry(manifests, n, manifests[i].depends_on[k]);
        if (other < n && (placed >> other & 1) == 0)
            return false;
    }
    return true;
}

/* Places one entry after the other behind those on which it depends. Entries that cannot be placed depend on a
 * circle. */
static void check_circles(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n)
{
    uint64_t placed = 0, before = 0;

    _Static_assert(HF_MAX_MANIFESTS <= 64, "the set has one bit for each entry");
    do {
        before = placed;
        for (size_t i = 0; i < n; i++)
            if ((placed >> i & 1) == 0 && may_follow(manifests, n, i, placed))
                placed |= UINT64_C(1) << i;
    } while (placed != before);
    for (size_t i = 0; i < n; i++) {
        if ((placed >> i & 1) != 0)
            continue;
        size_t path = hf_decode_enter(decode, NULL, i);
        hf_decode_error_at(decode, "dependsOn", "the entries depend on each other in a circle: remove one dependency");
        hf_decode_leave(decode, path);
        return;
    }
}

void hf_manifest_finish_all(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n)
{
    size_t before = hf_decode_enter(decode, "manifests", 0);

    check_names(decode, manifests, n);
    check_circles(decode, manifests, n);
    hf_decode_leave(decode, before);
}

void hf_manifest_done(struct hf_manifest *manifest)
{
    free(manifest->checks);
    free(manifest->signatures);
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

unsigned hf_manifest_file_mode(const struct hf_manifest *manifest, unsigned source_mode)
{
    if (manifest->has_mode)
        return manifest->mode;
    if (manifest->from.kind == HF_MANIFEST_FROM_SECRET)
        return 0400;
    if (manifest->from.kind == HF_MANIFEST_FROM_FLUX) /* source-controller keeps no modes but 0600 and 0700 */
        return (source_mode & 0100) != 0 ? 0755 : 0644;
    return source_mode != 0 ? source_mode & HF_MAX_MANIFEST_MODE : 0644;
}

bool hf_manifest_is_pinned(const struct hf_manifest *manifest)
{
    return manifest->content_digest != NULL || manifest->from.kind == HF_MANIFEST_FROM_URL;
}

const char *hf_manifest_unsupported(const struct hf_manifest *manifest)
{
    if (manifest->from.kind == HF_MANIFEST_FROM_SECRET && manifest->substitute != NULL)
        return "the content of a Secret is written as it is: leave out substitute";
    return NULL;
}

void hf_manifest_describe_source(const struct hf_manifest *manifest, char *text, size_t n)
{
    const struct hf_manifest_from *from = &manifest->from;
    char shown[HF_URL_MASKED];

    switch (from->kind) {
    case HF_MANIFEST_FROM_URL:
        (void)snprintf(text, n, "url %s", hf_url_mask(from->url, shown, sizeof(shown)));
        break;
    case HF_MANIFEST_FROM_PATH:
        (void)snprintf(text, n, "path %s", from->path);
        break;
    case HF_MANIFEST_FROM_FLUX:
        (void)snprintf(text, n, "%s %s/%s", hf_manifest_flux_kinds[from->flux_kind], from->namespace_, from->name);
        break;
    case HF_MANIFEST_FROM_CONFIG_MAP:
    case HF_MANIFEST_FROM_SECRET:
        (void)snprintf(text, n, "%s %s/%s", from_keys[from->kind], from->namespace_, from->name);
        break;
    case HF_MANIFEST_FROM_COUNT:
        text[0] = '\0';
        break;
    }
}

/* ---- phases and reasons ------------------------------------------------------------------------------------------ */

static const char *const phase_names[] = {
#define NAME(constant, name) [HF_MANIFEST_##constant] = (name),
    HF_MANIFEST_PHASES(NAME)
#undef NAME
};

static const char *const reason_names[] = {
#define NAME(constant, name, meaning) [HF_MANIFEST_REASON_##constant] = (name),
    HF_MANIFEST_REASONS(NAME)
#undef NAME
};

const char *hf_manifest_phase_name(enum hf_manifest_phase phase)
{
    return phase_names[phase];
}

const char *hf_manifest_reason_name(enum hf_manifest_reason reason)
{
    return reason_names[reason];
}
