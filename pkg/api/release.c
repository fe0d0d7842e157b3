/* SPDX-License-Identifier: Apache-2.0 */
/* spec.release: the tables of its fields, and the checks that no table can express.
 *
 * The tables (api/field/field.h) decode and check each field; a finish function for each object checks fields
 * against each other. hf_release_finish() then takes the digest: the SHA-256 of the canonical JSON, which is what
 * signatures are over. So a release that has no canonical form is invalid, with the path of what is wrong: members
 * with the value null, which API servers drop, and characters that JSON and YAML parsers do not read alike. These
 * are looked for in the whole signed part, also in fields that no table knows.
 *
 * hf_release_outdated() recognizes releases of an older format that anybody could replay, or whose packed download
 * has no hash: a node that has committed one may repair it, and no node starts one. */
#include "api/release.h"

#include <errno.h>
#include <string.h>

#include "api/field/text.h"
#include "api/zone.h"
#include "base/encoding/utf8.h"
#include "base/net/url_mask.h"
#include "codec/sha256.h"

#define HF_AGENT_MAX_DEADLINE_NS (120 * HF_NS_PER_S)

#define HF_MAX_ARTIFACT_BYTES (64ull << 30)

#define MAX_SEQUENCE ((1ull << 53) - 1) /* the largest integer of canonical JSON */
#define SHA256_WANTED "64 lower-case hex digits"
#define URL_WANTED "an http:, https: or file:/// URL without user and blanks, or oci://HOST/REPOSITORY@sha256:DIGEST"
enum { MAX_URL = 2048, MAX_PATH_BYTES = 1024, MAX_ARGUMENT = 1024 };

static const struct hf_field needs_fields[] = {
    HF_FIELD_QUANTITY(struct hf_delta_needs, memory_bytes, "memory", 0, 1ull << 50),
    HF_FIELD_QUANTITY(struct hf_delta_needs, disk_bytes, "disk", 0, 1ull << 50),
    {0}};

static const struct hf_field delta_fields[] = {
    HF_FIELD_TEXT(struct hf_delta_ref, from, "from", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_delta_ref, url, "url", 1, MAX_URL, hf_text_is_url, URL_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_delta_ref, sha256, "sha256", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_delta_ref, size, "size", NULL, 1, HF_MAX_ARTIFACT_BYTES, HF_REQUIRED),
    HF_FIELD_OBJECT(struct hf_delta_ref, needs, "requires", needs_fields),
    {0}};

static const struct hf_field step_fields[] = {
    HF_FIELD_TEXT(struct hf_delta_ref, from, "from", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_delta_ref, to, "to", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_delta_ref, to_size, "toSize", NULL, 1, HF_MAX_ARTIFACT_BYTES, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_delta_ref, url, "url", 1, MAX_URL, hf_text_is_url, URL_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_delta_ref, sha256, "sha256", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_delta_ref, size, "size", NULL, 1, HF_MAX_ARTIFACT_BYTES, HF_REQUIRED),
    HF_FIELD_OBJECT(struct hf_delta_ref, needs, "requires", needs_fields),
    {0}};

static const struct hf_field requires_fields[] = {
    HF_FIELD_TEXTS(struct hf_requires, cpu_features, "cpuFeatures", HF_MAX_CPU_FEATURES, 32, hf_text_is_cpu_feature,
                   "a CPU feature as in /proc/cpuinfo"),
    HF_FIELD_QUANTITY(struct hf_requires, memory_bytes, "memory", 0, 1ull << 50),
    HF_FIELD_QUANTITY(struct hf_requires, disk_bytes, "disk", 0, 1ull << 50),
    HF_FIELD_TEXTS(struct hf_requires, devices, "devices", HF_MAX_DEVICES, 128, hf_text_is_device, "a path below /dev"),
    HF_FIELD_TEXT(struct hf_requires, kernel, "kernel", 1, 20, hf_text_is_kernel_range,
                  "an operator (>=, <=, >, < or =) and a kernel version, such as >=5.10"),
    {0}};

static const struct hf_field download_fields[] = {
    HF_FIELD_TEXT(struct hf_download, sha256, "sha256", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_download, size, "size", NULL, 1, HF_MAX_ARTIFACT_BYTES, HF_REQUIRED),
    {0}};

static const struct hf_field artifact_fields[] = {
    HF_FIELD_TEXT(struct hf_artifact, arch, "arch", 1, 16, hf_text_is_arch, "an architecture such as arm64",
                  HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_artifact, url, "url", 1, MAX_URL, hf_text_is_url, URL_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_artifact, sha256, "sha256", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_artifact, size, "size", NULL, 1, HF_MAX_ARTIFACT_BYTES, HF_REQUIRED),
    HF_FIELD_OBJECT(struct hf_artifact, download, "download", download_fields),
    HF_FIELD_LIST(struct hf_artifact, deltas, n_deltas, "deltas", delta_fields, HF_MAX_DELTAS),
    HF_FIELD_LIST(struct hf_artifact, steps, n_steps, "steps", step_fields, HF_MAX_DELTAS),
    HF_FIELD_OBJECT(struct hf_artifact, requires_, "requires", requires_fields),
    {0}};

/* ---- install ----------------------------------------------------------------------------------------------------- */

static const char *const install_kinds[] = {
    [HF_INSTALL_FILE] = "File", [HF_INSTALL_TREE] = "Tree", [HF_INSTALL_AGENT] = "Agent", NULL};

static void decode_mode(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    struct hf_install *install = slot;
    char shown[HF_VALUE_TEXT];

    if (text == NULL || !hf_text_is_mode(text)) {
        hf_decode_error(decode, "expected octal digits in quotes such as \"0755\", got %s",
                        hf_decode_describe(value, shown));
        return;
    }
    install->mode = (unsigned)strtoul(text, NULL, 8);
    install->has_mode = true;
}

static const struct hf_field restart_fields[] = {
    HF_FIELD_TEXT(struct hf_install, restart_unit, "systemdUnit", 1, 255, hf_text_is_unit,
                  "a systemd unit such as x.service or x@1.service"),
    HF_FIELD_TEXTS(struct hf_install, restart_exec, "exec", HF_MAX_ARGV, MAX_ARGUMENT, NULL, NULL, .min = 1),
    {0}};

static void check_command(struct hf_decode *decode, const char *const *command)
{
    if (command[0] != NULL && !hf_text_is_path(command[0]))
        hf_decode_error(decode, "expected an absolute path first, got '%.40s'", command[0]);
}

static void finish_restart(struct hf_decode *decode, void *object, json_t *json)
{
    const struct hf_install *install = object;
    bool unit = json_object_get(json, "systemdUnit") != NULL, exec = json_object_get(json, "exec") != NULL;
    size_t before;

    if (unit == exec)
        hf_decode_error(decode, "expected exactly one of systemdUnit, exec");
    before = hf_decode_enter(decode, "exec", 0);
    check_command(decode, install->restart_exec);
    hf_decode_leave(decode, before);
}

static const struct hf_field reboot_fields[] = {
    HF_FIELD_OBJECT(struct hf_install, reboot_window, "window", hf_window_fields, .finish = hf_window_finish),
    HF_FIELD_TEXTS(struct hf_install, reboot_command, "command", HF_MAX_ARGV, MAX_ARGUMENT, NULL, NULL, .min = 1),
    {0}};

static void finish_reboot(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    struct hf_install *install = object;
    size_t before;

    install->reboots = true;
    if (install->reboot_command[0] == NULL) {
        install->reboot_command[0] = "/usr/bin/systemctl";
        install->reboot_command[1] = "reboot";
    }
    before = hf_decode_enter(decode, "command", 0);
    check_command(decode, install->reboot_command);
    hf_decode_leave(decode, before);
}

static const struct hf_field install_fields[] = {HF_FIELD_WORD(struct hf_install, kind, "kind", "File", install_kinds),
                                                 HF_FIELD_TEXT(struct hf_install, path, "path", 1, MAX_PATH_BYTES,
                                                               hf_text_is_path,
                                                               "an absolute path without . and .. and //"),
                                                 {.name = "mode", .kind = HF_KIND_OTHER, .decode = decode_mode},
                                                 HF_FIELD_PART("restart", restart_fields, .finish = finish_restart),
                                                 HF_FIELD_PART("reboot", reboot_fields, .finish = finish_reboot),
                                                 {0}};

/* The agent chooses its own place, and restarts itself. */
static void finish_agent(struct hf_decode *decode, struct hf_install *install, const json_t *json)
{
    static const char *const others[] = {"path", "mode", "restart", "reboot"};

    for (size_t i = 0; i < HF_LEN(others); i++)
        if (json_object_get(json, others[i]) != NULL)
            hf_decode_error_at(decode, others[i], "not with kind Agent, whose place and restart are the agent's own");
    install->path = "";
}

static void finish_install(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_install *install = object;

    if (install->kind == HF_INSTALL_AGENT) {
        finish_agent(decode, install, json);
        return;
    }
    if (json_object_get(json, "path") == NULL && !decode->absent)
        hf_decode_error_at(decode, "path", "is required");
    if (install->reboots && json_object_get(json, "restart") != NULL)
        hf_decode_error_at(decode, "reboot", "not with restart: a reboot starts every service");
    if (install->kind == HF_INSTALL_TREE && install->has_mode)
        hf_decode_error_at(decode, "mode", "not with kind Tree, whose archive has the modes");
}

/* ---- health ------------------------------------------------------------------------------------------------------ */

static const struct hf_field http_fields[] = {
    HF_FIELD_TEXT(struct hf_check, url, "url", 1, MAX_URL, hf_text_is_http_url,
                  "an http: or https: URL without user and blanks", HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_check, status, "status", "200", 100, 599),
    {0}};

static const struct hf_field tcp_fields[] = {
    HF_FIELD_TEXT(struct hf_check, host, "host", 1, 253, hf_text_is_host, "a host name or address",
                  .fallback = "127.0.0.1"),
    HF_FIELD_INTEGER(struct hf_check, port, "port", NULL, 1, 65535, HF_REQUIRED),
    {0}};

static void finish_exec(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_check *check = object;
    size_t before = hf_decode_enter(decode, "command", 0);

    check_command(decode, check->command);
    hf_decode_leave(decode, before);
}

static const struct hf_field exec_fields[] = {
    HF_FIELD_TEXTS(struct hf_check, command, "command", HF_MAX_ARGV, MAX_ARGUMENT, NULL, NULL, .min = 1, HF_REQUIRED),
    {0}};

const struct hf_field hf_release_check_fields[] = {
    HF_FIELD_PART("http", http_fields),
    HF_FIELD_PART("tcp", tcp_fields),
    HF_FIELD_PART("exec", exec_fields, .finish = finish_exec),
    HF_FIELD_TEXT(struct hf_check, unit, "systemdUnitActive", 1, 255, hf_text_is_unit,
                  "a systemd unit such as x.service or x@1.service"),
    HF_FIELD_DURATION(struct hf_check, period_ns, "period", "2s", HF_NS_PER_S / 10, 3600 * HF_NS_PER_S),
    HF_FIELD_DURATION(struct hf_check, timeout_ns, "timeout", "5s", HF_NS_PER_S / 10, 600 * HF_NS_PER_S),
    HF_FIELD_INTEGER(struct hf_check, success_threshold, "successThreshold", "1", 1, 100),
    {0}};

const struct hf_check_row hf_release_check_rows[HF_CHECK_COUNT] = {
#define ROW(kind_, field_, word_, key_, form_, ...)                                                                    \
    [HF_CHECK_##kind_] = {.field = (field_), .flag = "health-" word_, .key = (key_), .form = HF_CHECK_FORM_##form_},
    HF_CHECK_KINDS(ROW)
#undef ROW
};

#define NAME(kind, field, ...) ", " field
static const char kind_names[] = HF_CHECK_KINDS(NAME); /* begins with a separator */
#undef NAME

void hf_release_check_describe(const struct hf_check *check, char *text, size_t n)
{
    char shown[HF_URL_MASKED];

    switch (check->kind) {
    case HF_CHECK_HTTP:
        (void)snprintf(text, n, "http %s", hf_url_mask(check->url, shown, sizeof(shown)));
        break;
    case HF_CHECK_TCP:
        (void)snprintf(text, n, "tcp %s:%u", check->host, (unsigned)check->port);
        break;
    case HF_CHECK_EXEC:
        (void)snprintf(text, n, "exec %s", check->command[0]);
        break;
    case HF_CHECK_UNIT:
        (void)snprintf(text, n, "unit %s", check->unit);
        break;
    case HF_CHECK_COUNT:
        text[0] = '\0';
        break;
    }
}

void hf_release_check_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_check *check = object;
    unsigned n = 0;

    for (unsigned i = 0; i < HF_CHECK_COUNT; i++) {
        if (json_object_get(json, hf_release_check_rows[i].field) == NULL)
            continue;
        check->kind = (enum hf_check_kind)i;
        n++;
    }
    if (n != 1)
        hf_decode_error(decode, "expected exactly one of %s", kind_names + strlen(", "));
}

static const struct hf_field health_fields[] = {
    HF_FIELD_DURATION(struct hf_release, health_deadline_ns, "deadline", "2m", HF_NS_PER_S, 86400 * HF_NS_PER_S),
    HF_FIELD_LIST(struct hf_release, checks, n_checks, "checks", hf_release_check_fields, HF_MAX_CHECKS,
                  .finish = hf_release_check_finish),
    HF_FIELD_INTEGER(struct hf_release, probation_boots, "probationBoots", "0", 0, HF_MAX_PROBATION_BOOTS),
    {0}};

const char *hf_release_unit(const struct hf_release *release)
{
    const char *unit = release->install.restart_unit;

    for (size_t i = 0; unit == NULL && i < release->n_checks; i++)
        unit = release->checks[i].unit;
    return unit;
}

/* Who says that the service has started? */
static void check_boots(struct hf_decode *decode, const struct hf_release *release)
{
    size_t before = hf_decode_enter(decode, "health", 0);

    if (release->probation_boots > 0 && release->install.kind == HF_INSTALL_AGENT)
        hf_decode_error_at(decode, "probationBoots", "not with kind Agent: the supervisor judges each of its starts");
    else if (release->probation_boots > 0 && (release->n_checks == 0 || hf_release_unit(release) == NULL))
        hf_decode_error_at(decode, "probationBoots",
                           "needs a check, and a unit: install.restart.systemdUnit or a check systemdUnitActive");
    hf_decode_leave(decode, before);
}

/* ---- hooks ------------------------------------------------------------------------------------------------------- */

static void finish_hook(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_hook *hook = object;
    size_t before = hf_decode_enter(decode, "argv", 0);

    check_command(decode, hook->argv);
    hf_decode_leave(decode, before);
}

static const struct hf_field hook_fields[] = {
    HF_FIELD_TEXTS(struct hf_hook, argv, "argv", HF_MAX_ARGV, MAX_ARGUMENT, NULL, NULL, .min = 1, HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_hook, timeout_ns, "timeout", "60s", HF_NS_PER_S, 3600 * HF_NS_PER_S),
    {0}};

static const struct hf_field hooks_fields[] = {
#define HOOK(kind, field, ...)                                                                                         \
    HF_FIELD_OBJECT(struct hf_release, hooks[HF_HOOK_##kind], field, hook_fields, .finish = finish_hook),
    HF_HOOKS(HOOK)
#undef HOOK
        {0}};

#define HOOK_NAME(kind, field, ...) [HF_HOOK_##kind] = (field),
const char *const hf_release_hook_names[HF_HOOK_COUNT] = {HF_HOOKS(HOOK_NAME)};
#undef HOOK_NAME

/* ---- release ----------------------------------------------------------------------------------------------------- */

struct index {
    const char *url;
    const char *sha256;
};

static const struct hf_field index_fields[] = {
    HF_FIELD_TEXT(struct index, url, "url", 1, MAX_URL, hf_text_is_url, URL_WANTED, HF_REQUIRED),
    HF_FIELD_TEXT(struct index, sha256, "sha256", 1, 64, hf_text_is_sha256, SHA256_WANTED, HF_REQUIRED),
    {0}};

/* Checks the form alone; check_artifacts() reports that artifacts are missing. */
static void decode_index(struct hf_decode *decode, const struct hf_field *field, json_t *value, HF_UNUSED void *slot)
{
    struct index index = {0};
    char shown[HF_VALUE_TEXT];

    if (json_is_object(value))
        hf_field_decode_all(decode, field->fields, value, &index);
    else
        hf_decode_error(decode, "expected an object, got %s", hf_decode_describe(value, shown));
}

static void decode_downgrades(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                              void *slot)
{
    struct hf_release *release = slot;
    char shown[HF_VALUE_TEXT];

    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > HF_MAX_DOWNGRADES) {
        hf_decode_error(decode, "expected a list of 1 to %d sequences, got %s", HF_MAX_DOWNGRADES,
                        hf_decode_describe(value, shown));
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        size_t before = hf_decode_enter(decode, NULL, i);
        if (!json_is_integer(item) || json_integer_value(item) < 1 || json_integer_value(item) > (int64_t)MAX_SEQUENCE)
            hf_decode_error(decode, "expected a sequence, got %s", hf_decode_describe(item, shown));
        else
            release->downgrade_from[release->n_downgrade_from++] = (uint64_t)json_integer_value(item);
        hf_decode_leave(decode, before);
    }
}

const struct hf_field hf_release_fields[] = {
    HF_FIELD_TEXT(struct hf_release, name, "name", 1, 63, hf_text_is_name,
                  "a name of at most 63 lower case letters, digits and '-'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_release, version, "version", 1, 64, hf_text_is_version, "a version such as 1.4.2",
                  HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_release, sequence, "sequence", NULL, 1, MAX_SEQUENCE, HF_REQUIRED),
    HF_FIELD_OF(HF_KIND_TIME, struct hf_release, expires_unix_ns, "expires"),
    HF_FIELD_OF(HF_KIND_TIME, struct hf_release, signed_at_unix_ns, "signedAt"),
    HF_FIELD_BOOL(struct hf_release, allow_downgrade, "allowDowngrade", "false"),
    {.name = "downgradeFrom", .kind = HF_KIND_OTHER, .decode = decode_downgrades},
    HF_FIELD_LIST(struct hf_release, artifacts, n_artifacts, "artifacts", artifact_fields, HF_MAX_ARTIFACTS),
    {.name = "index", .kind = HF_KIND_OTHER, .fields = index_fields, .decode = decode_index},
    HF_FIELD_OBJECT(struct hf_release, install, "install", install_fields, .finish = finish_install, HF_REQUIRED),
    HF_FIELD_PART("health", health_fields),
    HF_FIELD_PART("hooks", hooks_fields),
    {0}};

static void check_agent(struct hf_decode *decode, const struct hf_release *release, const json_t *json)
{
    size_t before;

    if (json_object_get(json, "hooks") != NULL)
        hf_decode_error_at(decode, "hooks", "not with kind Agent: the agent that would run them is the one that ends");
    if (release->name != NULL && strcmp(release->name, HF_AGENT_RELEASE) != 0)
        hf_decode_error_at(decode, "name", "expected " HF_AGENT_RELEASE " with kind Agent, got '%.40s'", release->name);
    before = hf_decode_enter(decode, "health", 0);
    if (release->health_deadline_ns > HF_AGENT_MAX_DEADLINE_NS)
        hf_decode_error_at(decode, "deadline", "expected at most 2m with kind Agent: the supervisor waits for 3m");
    hf_decode_leave(decode, before);
}

static void check_artifacts(struct hf_decode *decode, const struct hf_release *release, const json_t *json)
{
    const json_t *artifacts = json_object_get(json, "artifacts");

    if (artifacts == NULL || (json_is_array(artifacts) && json_array_size(artifacts) == 0)) {
        if (json_object_get(json, "index") != NULL)
            hf_decode_error_at(decode, "index", "this version does not support index without artifacts");
        else
            hf_decode_error_at(decode, "artifacts", "expected at least 1 item");
    }
    for (size_t i = 1; i < release->n_artifacts; i++)
        for (size_t k = 0; k < i; k++)
            if (release->artifacts[i].arch != NULL && release->artifacts[k].arch != NULL &&
                strcmp(release->artifacts[i].arch, release->artifacts[k].arch) == 0)
                hf_decode_error_at(decode, "artifacts", "architecture %s occurs twice", release->artifacts[i].arch);
}

/* API servers drop null members of objects, which would break the signature. The parser of the tree bounds the
 * depth. */
static bool holds_null(const json_t *json, const char **ret_key)
{
    json_t *walked = hf_json_mutable(json), *value;
    const char *key;
    bool found = false;

    for (size_t i = 0; !found && i < json_array_size(json); i++)
        found = holds_null(json_array_get(json, i), ret_key);
    json_object_foreach(walked, key, value) {
        if (!found && json_is_null(value)) {
            *ret_key = key;
            return true;
        }
        found = found || holds_null(value, ret_key);
    }
    return found;
}

static bool is_reported(const struct hf_issues *issues, const char *path)
{
    for (size_t i = 0; i < HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES); i++)
        if (strcmp(issues->errors[i].path, path) == 0)
            return true;
    return false;
}

/* Reports "a.b[1]: text" (the path is inside the release) at its path, unless that path has an error already. */
static void report_not_canonical(struct hf_decode *decode, const char *cause)
{
    const char *colon = strstr(cause, ": ");
    size_t before = decode->path_n;
    char inside[HF_DECODE_PATH];

    if (colon != NULL) {
        (void)snprintf(inside, sizeof(inside), "%.*s", (int)(colon - cause), cause);
        (void)hf_decode_enter(decode, inside, 0);
        cause = colon + 2;
    }
    if (!is_reported(decode->issues, decode->path))
        hf_decode_error(decode, "%s", cause);
    hf_decode_leave(decode, before);
}

/* Reports a character of a signed text or name that JSON and YAML parsers do not read alike. */
static void report_character(struct hf_decode *decode, const char *what, const char *text)
{
    uint32_t bad = hf_utf8_unportable(text);

    if (bad != 0 && !is_reported(decode->issues, decode->path))
        hf_decode_error(decode, "%s has U+%04X, which JSON and YAML do not read alike: it cannot be signed", what,
                        (unsigned)bad);
}

/* Checks every text and name of the signed part, also those that no table knows. */
static void check_characters(struct hf_decode *decode, const json_t *json)
{
    json_t *walked = hf_json_mutable(json), *value;
    size_t before;
    const char *key;

    if (json_is_string(json))
        report_character(decode, "the text", json_string_value(json));
    for (size_t i = 0; i < json_array_size(json); i++) {
        before = hf_decode_enter(decode, NULL, i);
        check_characters(decode, json_array_get(json, i));
        hf_decode_leave(decode, before);
    }
    json_object_foreach(walked, key, value) {
        report_character(decode, "a name", key);
        before = hf_decode_enter(decode, key, 0);
        check_characters(decode, value);
        hf_decode_leave(decode, before);
    }
}

/* Signatures are over the canonical JSON: a release that has none is invalid. */
static void take_digest(struct hf_decode *decode, struct hf_release *release, const json_t *json)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);
    struct hf_err err = HF_ERR_INIT;
    const char *key = NULL;
    int r = hf_json_canonical(json, &text, &err);

    if (holds_null(json, &key))
        hf_decode_error(decode, "'%.60s' is null, which cannot be signed: leave it out", key);
    check_characters(decode, json);

    if (r == -ENOMEM)
        decode->out_of_memory = true;
    else if (r < 0)
        report_not_canonical(decode, err.cause);
    else
        (void)hf_sha256_hex(text.p, text.n, release->digest);
}

void hf_release_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_release *release = object;

    release->json = json;
    if (release->install.kind == HF_INSTALL_AGENT)
        check_agent(decode, release, json);
    check_boots(decode, release);
    check_artifacts(decode, release, json);
    take_digest(decode, release, json);
}

void hf_release_done(struct hf_release *release)
{
    for (size_t i = 0; i < release->n_artifacts; i++) {
        free(release->artifacts[i].deltas);
        free(release->artifacts[i].steps);
    }
    free(release->artifacts);
    free(release->checks);
    hf_zone_free(release->install.reboot_window.zone);
}

static bool ends_packed(const char *url)
{
    size_t n = strcspn(url, "?#");

    return (n > 4 && strncmp(url + n - 4, ".zst", 4) == 0) || (n > 3 && strncmp(url + n - 3, ".xz", 3) == 0);
}

const char *hf_release_outdated(const struct hf_release *release, char *text, size_t n)
{
    if (release->allow_downgrade) {
        (void)snprintf(text, n,
                       "allowDowngrade let anybody replay the release for ever: sign downgradeFrom, the list of the "
                       "sequences that nodes may leave for it");
        return "allowDowngrade";
    }
    if (release->expires_unix_ns == HF_NEVER) {
        (void)snprintf(text, n,
                       "expires is missing: anybody could replay the release for ever; sign it with expires "
                       "(holdfast release create --expires)");
        return "expires";
    }
    for (size_t i = 0; i < release->n_artifacts; i++) {
        const struct hf_artifact *artifact = &release->artifacts[i];
        if (artifact->download.sha256 != NULL || !ends_packed(artifact->url))
            continue;
        (void)snprintf(text, n,
                       "artifact %s is packed, but has no download: sign the sha256 and size of the packed file "
                       "(holdfast release create --zst)",
                       artifact->arch);
        return "artifacts";
    }
    return NULL;
}

const struct hf_artifact *hf_release_artifact(const struct hf_release *release, const char *arch)
{
    for (size_t i = 0; i < release->n_artifacts; i++)
        if (strcmp(release->artifacts[i].arch, arch) == 0)
            return &release->artifacts[i];
    return NULL;
}

const char *hf_release_program(const struct hf_release *release, size_t i, char *field, size_t n)
{
    if (release->install.restart_exec[0] != NULL && i-- == 0) {
        (void)snprintf(field, n, "install.restart.exec");
        return release->install.restart_exec[0];
    }
    if (release->install.reboots && i-- == 0) {
        (void)snprintf(field, n, "install.reboot");
        return release->install.reboot_command[0];
    }
    for (size_t k = 0; k < release->n_checks; k++)
        if (release->checks[k].kind == HF_CHECK_EXEC && i-- == 0) {
            (void)snprintf(field, n, "health.checks[%zu].exec", k);
            return release->checks[k].command[0];
        }
    for (size_t k = 0; k < HF_HOOK_COUNT; k++)
        if (release->hooks[k].argv[0] != NULL && i-- == 0) {
            (void)snprintf(field, n, "hooks.%s", hf_release_hook_names[k]);
            return release->hooks[k].argv[0];
        }
    return NULL;
}
