/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text of agent.yaml. The tables below are the fields; a field that is wrong allows nothing, or has its
 * default if it is a number. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/field.h"
#include "api/field/nearest.h"
#include "api/meta.h"
#include "base/parse.h"
#include "codec/yaml_place.h"
#include "config/pattern.h"
#include "config/settings.h"

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

enum { MAX_RESERVE_PERCENT = 50, MAX_NAME_BYTES = 128, MAX_UNIT_BYTES = 255 };

struct reader {
    struct hf_decode decode; /* first member: the callbacks get a pointer to it */
    struct hf_config *config;
};

static struct hf_config *config_of(struct hf_decode *decode)
{
    return hf_container_of(decode, struct reader, decode)->config;
}

/* ---- forms of strings -------------------------------------------------------------------------------------------- */

static bool is_variable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '_' ||
              (c > text && *c >= '0' && *c <= '9')))
            return false;
    return text[0] != '\0' && strlen(text) <= MAX_NAME_BYTES;
}

static bool is_web_origin(const char *text)
{
    return hf_config_pattern_is_origin(text, (const char *const[]){"http", "https", NULL});
}

static bool is_broker_origin(const char *text)
{
    return hf_config_pattern_is_origin(text, (const char *const[]){"mqtt", "mqtts", NULL});
}

/* A shell pattern that can match the name of a service. */
static bool is_unit_pattern(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@*?[]!";
    size_t n = strlen(text);

    return n > 0 && n <= MAX_UNIT_BYTES && strspn(text, allowed) == n &&
           (text[n - 1] == '*' || (n > strlen(".service") && strcmp(text + n - strlen(".service"), ".service") == 0));
}

static bool is_signable(const char *text)
{
    return strcmp(text, "SyncPolicy") == 0 || strcmp(text, "Manifests") == 0;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static const char *const nothing[] = {NULL};

/* Collects the good strings of a list. A string that is wrong is left out, and a value that is no list is an empty
 * list, so that a mistake allows nothing. */
static void decode_list(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    struct hf_config *config = config_of(decode);
    char shown[HF_VALUE_TEXT];
    size_t n = 0, size = json_array_size(value);

    *(const char *const **)slot = nothing;
    if (!json_is_array(value) || size > field->max) {
        json_is_array(value)
            ? hf_decode_error(decode, "expected at most %ju items, got %zu", (uintmax_t)field->max, size)
            : hf_decode_error(decode, "expected a list, got %s", hf_decode_describe(value, shown));
        return;
    }
    const char **list = calloc(size + 1, sizeof(*list));
    if (list == NULL) {
        decode->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        json_t *item = json_array_get(value, i);
        size_t before = hf_decode_enter(decode, NULL, i);
        if (json_is_string(item) && field->check(json_string_value(item)))
            list[n++] = json_string_value(item);
        else
            hf_decode_error(decode, "expected %s, got %s", field->expected, hf_decode_describe(item, shown));
        hf_decode_leave(decode, before);
    }
    config->owned[config->n_owned++] = list;
    *(const char *const **)slot = list;
}

#define LIST(place, key, most, is_good, wants)                                                                         \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, place), .max = (most),              \
        .check = (is_good), .expected = (wants), .decode = decode_list                                                 \
    }

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static int bytes_of(const json_t *value, uint64_t *ret_bytes)
{
    if (json_is_string(value))
        return hf_parse_quantity(json_string_value(value), ret_bytes);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return -EINVAL;
    *ret_bytes = (uint64_t)json_integer_value(value);
    return 0;
}

static void decode_spool(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];
    uint64_t bytes = 0;

    if (bytes_of(value, &bytes) < 0 || bytes < field->min || bytes > field->max)
        hf_decode_error(decode, "expected a quantity of bytes from 16Mi to 1Ti, got %s",
                        hf_decode_describe(value, shown));
    else
        *(uint64_t *)slot = bytes;
}

static void decode_reserve(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                           HF_UNUSED void *slot)
{
    struct hf_config *config = config_of(decode);
    const char *text = json_string_value(value);
    char shown[HF_VALUE_TEXT];
    unsigned basis_points = 0;
    uint64_t bytes = 0;

    if (text != NULL && hf_parse_percent(text, &basis_points) == 0 && basis_points <= MAX_RESERVE_PERCENT * 100) {
        config->reserve_basis_points = basis_points;
        config->reserve_bytes = UINT64_MAX;
    } else if (bytes_of(value, &bytes) == 0 && bytes <= TIB) {
        config->reserve_basis_points = UINT64_MAX;
        config->reserve_bytes = bytes;
    } else {
        hf_decode_error(decode, "expected a percentage up to 50%% or a quantity of bytes up to 1Ti, got %s",
                        hf_decode_describe(value, shown));
    }
}

/* Whatever is wrong with this field, it asked for signatures. */
static void decode_require_signed(struct hf_decode *decode, const struct hf_field *field, json_t *value,
                                  HF_UNUSED void *slot)
{
    struct hf_config *config = config_of(decode);
    char shown[HF_VALUE_TEXT];
    const json_t *item;
    size_t i;

    config->requires_signed_policy = config->requires_signed_manifests = !json_is_array(value);
    if (!json_is_array(value))
        hf_decode_error(decode, "expected a list, got %s", hf_decode_describe(value, shown));
    json_array_foreach(value, i, item) {
        size_t before = hf_decode_enter(decode, NULL, i);
        const char *word = json_string_value(item);
        bool good = word != NULL && field->check(word);
        if (!good)
            hf_decode_error(decode, "expected %s, got %s", field->expected, hf_decode_describe(item, shown));
        if (!good || strcmp(word, "SyncPolicy") == 0)
            config->requires_signed_policy = true;
        if (!good || strcmp(word, "Manifests") == 0)
            config->requires_signed_manifests = true;
        hf_decode_leave(decode, before);
    }
}

/* A value that is not a boolean allows nothing. */
static void decode_permission(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                              void *slot)
{
    char shown[HF_VALUE_TEXT];

    *(bool *)slot = json_is_true(value);
    if (!json_is_boolean(value))
        hf_decode_error(decode, "expected true or false, got %s", hf_decode_describe(value, shown));
}

/* A list that is wrong anywhere allows no copy: fewer PCRs than the owner of the node meant would open more. */
static void decode_pcrs(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];
    const json_t *item;
    size_t i;

    if (!json_is_array(value)) {
        config_of(decode)->refuses_sealed_secrets = true;
        hf_decode_error(decode, "expected a list, got %s", hf_decode_describe(value, shown));
    }
    json_array_foreach(value, i, item) {
        size_t before = hf_decode_enter(decode, NULL, i);
        json_int_t number = json_is_integer(item) ? json_integer_value(item) : -1;
        if (number == 16 || number == 23) {
            config_of(decode)->refuses_sealed_secrets = true;
            hf_decode_error(decode, "any program can reset PCR %d, so it binds a copy to nothing", (int)number);
        } else if (number >= 0 && number < 24) {
            *(uint32_t *)slot |= (uint32_t)1 << number;
        } else {
            config_of(decode)->refuses_sealed_secrets = true;
            hf_decode_error(decode, "expected a number from 0 to 22, got %s", hf_decode_describe(item, shown));
        }
        hf_decode_leave(decode, before);
    }
}

/* The configuration of a TCTI is a path, or pairs NAME=VALUE. Others than these two would run programs, or load
 * libraries. */
static bool is_tcti(const char *text)
{
    static const char *const names[] = {"device:/", "swtpm:"};
    size_t n = strlen(text);

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strncmp(text, names[i], strlen(names[i])) == 0 && n > strlen(names[i]) && n < 256)
            return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/=,._-") == n;
    return false;
}

static void decode_tcti(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    char shown[HF_VALUE_TEXT];

    if (text != NULL && is_tcti(text)) {
        *(const char **)slot = text;
        return;
    }
    config_of(decode)->refuses_sealed_secrets = true;
    hf_decode_error(decode, "expected device:PATH or swtpm:CONFIGURATION, got %s", hf_decode_describe(value, shown));
}

/* A fault of another field of `tpm` may have forbidden the copies already. */
static void decode_seal_secrets(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    bool allows = false;

    decode_permission(decode, field, value, &allows);
    if (!allows)
        *(bool *)slot = true;
}

/* A wrong value counts as true: somebody wanted the counter. */
static void decode_floors(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];

    *(bool *)slot = !json_is_false(value);
    if (!json_is_boolean(value))
        hf_decode_error(decode, "expected true or false, got %s", hf_decode_describe(value, shown));
}

static void decode_clock_resync(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    bool allows = false;

    decode_permission(decode, field, value, &allows);
    *(bool *)slot = !allows;
}

/* A wrong value counts as None: somebody wanted another one than the default. */
static void decode_page(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    char shown[HF_VALUE_TEXT];
    enum hf_config_page page = HF_CONFIG_PAGE_NONE;

    while (page < HF_CONFIG_PAGES && strcmp(text, hf_config_page_name(page)) != 0)
        page++;
    *(enum hf_config_page *)slot = page < HF_CONFIG_PAGES ? page : HF_CONFIG_PAGE_NONE;
    if (page == HF_CONFIG_PAGES)
        hf_decode_error(decode, "expected None, Read or Act, got %s", hf_decode_describe(value, shown));
}

static void decode_static_pod_folder(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                                     void *slot)
{
    const char *text = json_string_value(value);
    char shown[HF_VALUE_TEXT];

    if (text != NULL && hf_config_path_is_normal(text))
        *(const char **)slot = text;
    else
        hf_decode_error(decode, "expected an absolute path without . and .. and //, got %s",
                        hf_decode_describe(value, shown));
}

/* ---- sharing ----------------------------------------------------------------------------------------------------- */

/* A wrong field of `share` forbids it: without the authority or the bound that the owner meant, it would be another. */
static void wrong_share(struct hf_decode *decode, const char *expected, json_t *value)
{
    char shown[HF_VALUE_TEXT];

    config_of(decode)->share_is_wrong = true;
    hf_decode_error(decode, "expected %s, got %s", expected, hf_decode_describe(value, shown));
}

static void decode_share_file(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                              void *slot)
{
    const char *text = json_string_value(value);

    if (text != NULL && hf_config_path_is_normal(text))
        *(const char **)slot = text;
    else
        wrong_share(decode, "an absolute path without . and .. and //", value);
}

static void decode_share_number(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    uint64_t number = 0;

    if (bytes_of(value, &number) < 0 || number < field->min || number > field->max)
        wrong_share(decode, field->expected, value);
    else
        *(uint64_t *)slot = number;
}

/* ---- the tables -------------------------------------------------------------------------------------------------- */

/* Gives a field the value that a wrong one gets, without a message. */
static void refuse(struct hf_decode *decode, const struct hf_field *field)
{
    size_t n_errors = decode->issues->n_errors;

    field->decode(decode, field, json_null(), (char *)config_of(decode) + field->offset);
    decode->issues->n_errors = n_errors;
}

static void decode_part(struct hf_decode *decode, const struct hf_field *field, json_t *value, HF_UNUSED void *slot)
{
    char shown[HF_VALUE_TEXT];

    if (json_is_object(value)) {
        hf_field_decode_all(decode, field->fields, value, config_of(decode));
        return;
    }
    hf_decode_error(decode, "expected an object, got %s", hf_decode_describe(value, shown));
    for (const struct hf_field *part = field->fields; part->name != NULL; part++)
        refuse(decode, part);
}

#define PATH_PATTERN                                                                                                   \
    "an absolute path without . and .. and //, in which * stands for a part of a name and ** for folders"
#define ORIGIN_PATTERN "https://HOST[:PORT] or http://HOST[:PORT], where * is any host or port"
#define UNIT_PATTERN "a shell pattern of service names that ends with .service or *"
#define MANIFEST_LIST(scope, list, key, is_good, wants)                                                                \
    LIST(manifests[scope].lists[HF_CONFIG_MANIFEST_##list], key, HF_CONFIG_MAX_ITEMS, is_good, wants)
#define PERMISSION(place, key)                                                                                         \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, place), .decode = decode_permission \
    }
#define MANIFESTS(scope)                                                                                               \
    {                                                                                                                  \
        PERMISSION(manifests[scope].static_pods, "staticPods"), PERMISSION(manifests[scope].cluster, "cluster"),       \
            MANIFEST_LIST(scope, FILES, "files", hf_config_pattern_is_path, PATH_PATTERN),                             \
            MANIFEST_LIST(scope, SECRETS, "secrets", hf_config_pattern_is_path, PATH_PATTERN),                         \
            MANIFEST_LIST(scope, PATHS, "paths", hf_config_pattern_is_path, PATH_PATTERN),                             \
            MANIFEST_LIST(scope, UNITS, "units", is_unit_pattern, UNIT_PATTERN),                                       \
            MANIFEST_LIST(scope, EXEC, "exec", hf_config_pattern_is_path, PATH_PATTERN),                               \
            MANIFEST_LIST(scope, ORIGINS, "origins", is_web_origin, ORIGIN_PATTERN), {0},                              \
    }

static const struct hf_field manifest_fields[] = MANIFESTS(HF_CONFIG_UNSIGNED);
static const struct hf_field signed_manifest_fields[] = MANIFESTS(HF_CONFIG_SIGNED);

#define BOUNDS(scope, ...)                                                                                             \
    {                                                                                                                  \
        LIST(lists[scope][HF_CONFIG_FILES], "files", HF_CONFIG_MAX_ITEMS, hf_config_pattern_is_path, PATH_PATTERN),    \
            LIST(lists[scope][HF_CONFIG_FOLDERS], "credentialFolders", HF_CONFIG_MAX_ITEMS, hf_config_path_is_normal,  \
                 "an absolute path without . and .. and //"),                                                          \
            LIST(lists[scope][HF_CONFIG_VARIABLES], "credentialVariables", HF_CONFIG_MAX_ITEMS, is_variable,           \
                 "the name of an environment variable"),                                                               \
            LIST(lists[scope][HF_CONFIG_SINKS], "sinks", HF_CONFIG_MAX_ITEMS, is_web_origin,                           \
                 "https://HOST[:PORT] or http://HOST[:PORT], where * is any host or port"),                            \
            LIST(lists[scope][HF_CONFIG_BROKERS], "brokers", HF_CONFIG_MAX_ITEMS, is_broker_origin,                    \
                 "mqtts://HOST[:PORT] or mqtt://HOST[:PORT], where * is any host or port"),                            \
            LIST(lists[scope][HF_CONFIG_SCRAPES], "scrapes", HF_CONFIG_MAX_ITEMS, is_web_origin,                       \
                 "https://HOST[:PORT] or http://HOST[:PORT], where * is any host or port"),                            \
            LIST(lists[scope][HF_CONFIG_SOCKETS], "sockets", HF_CONFIG_MAX_ITEMS, hf_config_pattern_is_path,           \
                 PATH_PATTERN),                                                                                        \
            {.name = "maxSpool",                                                                                       \
             .kind = HF_KIND_OTHER,                                                                                    \
             .offset = offsetof(struct hf_config, max_spool_bytes[scope]),                                             \
             .min = 16 * MIB,                                                                                          \
             .max = TIB,                                                                                               \
             .decode = decode_spool},                                                                                  \
            __VA_ARGS__{0},                                                                                            \
    }

static const struct hf_field telemetry_fields[] = BOUNDS(HF_CONFIG_UNSIGNED);
static const struct hf_field signed_fields[] =
    BOUNDS(HF_CONFIG_SIGNED,
           {.name = "manifests", .kind = HF_KIND_OTHER, .fields = signed_manifest_fields, .decode = decode_part}, );

static const struct hf_field tpm_fields[] = {
    {.name = "sealSecrets",
     .kind = HF_KIND_OTHER,
     .offset = offsetof(struct hf_config, refuses_sealed_secrets),
     .decode = decode_seal_secrets},
    {.name = "floors",
     .kind = HF_KIND_OTHER,
     .offset = offsetof(struct hf_config, counts_floors),
     .decode = decode_floors},
    {.name = "tcti", .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, tcti), .decode = decode_tcti},
    {.name = "pcrs", .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, tpm_pcrs), .decode = decode_pcrs},
    {0}};

#define SHARE_FILE(place, key)                                                                                         \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, share.place),                       \
        .decode = decode_share_file                                                                                    \
    }
#define SHARE_NUMBER(place, key, least, most, wants)                                                                   \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, share.place), .min = (least),       \
        .max = (most), .expected = (wants), .decode = decode_share_number                                              \
    }

static const struct hf_field share_fields[] = {
    PERMISSION(share.neighbours, "neighbours"),
    SHARE_NUMBER(port, "port", 1, 65535, "a port"),
    SHARE_NUMBER(bytes_per_s, "bytesPerSecond", 64 << 10, TIB, "a quantity of bytes from 64Ki"),
    SHARE_FILE(ca_file, "caFile"),
    SHARE_FILE(cert_file, "certFile"),
    SHARE_FILE(key_file, "keyFile"),
    {0}};

static void decode_artifacts(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                             HF_UNUSED void *slot)
{
    hf_config_decode_artifacts(decode, config_of(decode), value);
}

static void decode_mirrors(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                           HF_UNUSED void *slot)
{
    hf_config_decode_mirrors(decode, config_of(decode), value);
}

static void decode_image_credentials(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value,
                                     HF_UNUSED void *slot)
{
    hf_config_decode_image_credentials(decode, config_of(decode), value);
}

/* is_ours() has checked the value already. */
static void decode_checked(HF_UNUSED struct hf_decode *decode, HF_UNUSED const struct hf_field *field,
                           HF_UNUSED json_t *value, HF_UNUSED void *slot)
{
}

static const struct hf_field config_fields[] = {
    {.name = "apiVersion", .kind = HF_KIND_OTHER, .decode = decode_checked},
    {.name = "kind", .kind = HF_KIND_OTHER, .decode = decode_checked},
    LIST(roots, "updateRoots", HF_CONFIG_MAX_ROOTS, hf_config_path_is_normal,
         "an absolute path without . and .. and //"),
    LIST(exec, "exec", HF_CONFIG_MAX_ITEMS, hf_config_pattern_is_path, PATH_PATTERN),
    LIST(units, "units", HF_CONFIG_MAX_ITEMS, is_unit_pattern,
         "a shell pattern of service names that ends with .service or *"),
    {.name = "manifests", .kind = HF_KIND_OTHER, .fields = manifest_fields, .decode = decode_part},
    {.name = "artifacts", .kind = HF_KIND_OTHER, .decode = decode_artifacts},
    {.name = "mirrors", .kind = HF_KIND_OTHER, .decode = decode_mirrors},
    {.name = "imageCredentialProvider", .kind = HF_KIND_OTHER, .decode = decode_image_credentials},
    {.name = "share", .kind = HF_KIND_OTHER, .fields = share_fields, .decode = decode_part},
    {.name = "staticPodFolder",
     .kind = HF_KIND_OTHER,
     .offset = offsetof(struct hf_config, static_pod_folder),
     .decode = decode_static_pod_folder},
    {.name = "clockResync",
     .kind = HF_KIND_OTHER,
     .offset = offsetof(struct hf_config, refuses_clock_resync),
     .decode = decode_clock_resync},
    {.name = "page", .kind = HF_KIND_OTHER, .offset = offsetof(struct hf_config, page), .decode = decode_page},
    {.name = "tpm", .kind = HF_KIND_OTHER, .fields = tpm_fields, .decode = decode_part},
    {.name = "telemetry", .kind = HF_KIND_OTHER, .fields = telemetry_fields, .decode = decode_part},
    {.name = "signedPolicies", .kind = HF_KIND_OTHER, .fields = signed_fields, .decode = decode_part},
    {.name = "requireSigned",
     .kind = HF_KIND_OTHER,
     .check = is_signable,
     .expected = "SyncPolicy or Manifests",
     .decode = decode_require_signed},
    {.name = "diskReserve", .kind = HF_KIND_OTHER, .decode = decode_reserve},
    {0}};

/* A field that resembles one of ours was meant to be that one, so that one counts as wrong. */
static void report_unknown(struct hf_decode *decode, const struct hf_field *fields, const char *key,
                           const json_t *object)
{
    struct hf_nearest nearest = {.typed = key};

    for (const struct hf_field *field = fields; field->name != NULL; field++)
        hf_nearest_try(&nearest, field->name);
    if (nearest.best == NULL) {
        hf_decode_error(decode, "unknown field");
        return;
    }
    hf_decode_error(decode, "unknown field; did you mean '%s'?", nearest.best);
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, nearest.best) == 0 && json_object_get(object, fields->name) == NULL)
            refuse(decode, fields);
}

static bool is_ours(const json_t *json, struct hf_issues *issues)
{
    if (!json_is_object(json))
        hf_issue_error(issues, "", "expected an object");
    else if (strcmp(hf_json_str_or(json, "apiVersion", ""), HF_API_GROUP_VERSION) != 0)
        hf_issue_error(issues, "apiVersion", "expected " HF_API_GROUP_VERSION);
    else if (strcmp(hf_json_str_or(json, "kind", ""), HF_CONFIG_KIND) != 0)
        hf_issue_error(issues, "kind", "expected " HF_CONFIG_KIND);
    return issues->n_errors == 0;
}

/* The file might have asked for signatures, and against copies of secrets. */
static void close_for_unsigned(struct hf_config *config)
{
    config->is_unusable = true;
    config->requires_signed_policy = config->requires_signed_manifests = true;
    config->refuses_sealed_secrets = true;
    config->page = HF_CONFIG_PAGE_NONE;
}

int hf_config_decode(json_t *json, const char *name, struct hf_config **ret_config, struct hf_issues *issues)
{
    _cleanup_(hf_config_freep) struct hf_config *config = hf_config_new();

    issues->n_errors = issues->n_warnings = 0;
    if (config == NULL || (config->name = strdup(name)) == NULL)
        return -ENOMEM;
    if (is_ours(json, issues)) {
        struct reader reader = {.decode = {.issues = issues, .unknown = report_unknown}, .config = config};
        config->tree = json_incref(json);
        hf_field_decode_all(&reader.decode, config_fields, json, config);
        if (reader.decode.out_of_memory)
            return -ENOMEM;
    } else {
        close_for_unsigned(config);
    }
    *ret_config = hf_steal(config);
    return 0;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static int add_fault(struct hf_config *config, const char *format, ...) HF_PRINTF(2, 3);
static int add_fault(struct hf_config *config, const char *format, ...)
{
    va_list args;
    int n;

    if (config->n_faults == HF_CONFIG_MAX_FAULTS)
        return 0;
    va_start(args, format);
    n = vasprintf(&config->faults[config->n_faults], format, args);
    va_end(args);
    if (n < 0)
        return -ENOMEM;
    config->n_faults++;
    return 0;
}

static int add_faults(struct hf_config *config, struct hf_view text, const struct hf_issues *issues)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES); i++) {
        const struct hf_issue *issue = &issues->errors[i];
        r = add_fault(config, "%s:%zu: %s%s%s", config->name, hf_yaml_place_line(text, 0, issue->path), issue->path,
                      issue->path[0] != '\0' ? ": " : "", issue->text);
    }
    return r;
}

int hf_config_put_fault(struct hf_config *config, const char *fault, const char *more)
{
    char *text;

    if (asprintf(&text, "%s; %s", fault, more) < 0)
        return -ENOMEM;
    if (config->n_faults == HF_CONFIG_MAX_FAULTS)
        free(config->faults[--config->n_faults]);
    memmove(config->faults + 1, config->faults, config->n_faults * sizeof(*config->faults));
    config->faults[0] = text;
    config->n_faults++;
    return 0;
}

int hf_config_absent(const char *name, struct hf_config **ret_config, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = hf_config_new();

    if (config == NULL || (config->name = strdup(name)) == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for '%.200s'", name);
    *ret_config = hf_steal(config);
    return 0;
}

int hf_config_refuse(const char *name, const char *fault, struct hf_config **ret_config, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    int r = hf_config_absent(name, &config, err);

    if (r < 0)
        return r;
    if (add_fault(config, "%s", fault) < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for '%.200s'", name);
    close_for_unsigned(config);
    *ret_config = hf_steal(config);
    return 0;
}

int hf_config_parse(struct hf_view text, const char *name, struct hf_config **ret_config, struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = HF_CONFIG_MAX_BYTES, .max_depth = 8, .max_nodes = 2000};
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_err cause = HF_ERR_INIT;
    char fault[sizeof(cause.cause) + 128];
    int r = issues != NULL ? hf_yaml_parse(text, &limits, &json, &cause) : -ENOMEM;

    if (r < 0 && r != -ENOMEM) {
        /* The parser's message begins with the place: "line 3 column 5: ..." */
        const char *colon = strncmp(cause.cause, "line ", 5) == 0 ? strchr(cause.cause, ':') : NULL;
        (void)snprintf(fault, sizeof(fault), "%.100s:%lu:%s%s", name,
                       colon != NULL ? strtoul(cause.cause + 5, NULL, 10) : 1, colon != NULL ? "" : " ",
                       colon != NULL ? colon + 1 : cause.cause);
        return hf_config_refuse(name, fault, ret_config, err);
    }
    if (r == 0)
        r = hf_config_decode(json, name, &config, issues);
    if (r == 0)
        r = add_faults(config, text, issues);
    if (r < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for '%.200s'", name);
    *ret_config = hf_steal(config);
    return 0;
}
