/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the lists `artifacts` and `mirrors`. An item with a fault is left out, so that no half of one sends a
 * credential to another place, or without TLS, than its owner meant. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/field/field.h"
#include "api/field/nearest.h"
#include "config/settings.h"

enum { MAX_URL = 1024, MAX_USER = 256, MAX_HEADER = 64 };

static const char *const schemes[] = {"http", "https", NULL};

/* ---- forms of strings -------------------------------------------------------------------------------------------- */

static bool is_url(const char *text)
{
    char origin[HF_CONFIG_ORIGIN];

    return strpbrk(text, "?#") == NULL && strstr(text, "/../") == NULL && strstr(text, "/./") == NULL &&
           hf_config_origin_of(text, schemes, origin);
}

static bool is_user(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == ':')
            return false;
    return true;
}

/* The name of a header field (RFC 9110, 5.1) that no other part of a request sets or means. */
static bool is_header(const char *text)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const taken[] = {
        "Host",   "Range",      "If-Range", "Content-Length", "Transfer-Encoding", "Connection", "Content-Type",
        "Expect", "User-Agent", "TE",       "Upgrade",        "Accept-Encoding"};

    for (size_t i = 0; i < HF_LEN(taken); i++)
        if (strcasecmp(text, taken[i]) == 0)
            return false;
    return text[strspn(text, token)] == '\0';
}

/* ---- one item ---------------------------------------------------------------------------------------------------- */

#define URL_FORM "https://HOST[:PORT][/PATH] or http://HOST[:PORT][/PATH] without user, ? and #"
#define PATH_FIELD(type, member, key)                                                                                  \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .offset = offsetof(type, member), .decode = decode_path                  \
    }
#define FILE_FIELD(member, key) PATH_FIELD(struct hf_config_artifact, member, key)

/* Does not show the value: it may be the secret itself. */
static void decode_path(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);

    if (text != NULL && hf_config_path_is_normal(text))
        *(const char **)slot = text;
    else
        hf_decode_error(decode, "expected the absolute path of a file, without . and .. and //");
}

static const char *const places[] = {"file", "node", NULL};

static const struct hf_field artifact_fields[] = {
    HF_FIELD_TEXT(struct hf_config_artifact, url, "url", 1, MAX_URL, is_url, URL_FORM, HF_REQUIRED),
    HF_FIELD_WORD(struct hf_config_artifact, node_token, "tokenFrom", "file", places),
    FILE_FIELD(token_file, "tokenFile"),
    HF_FIELD_TEXT(struct hf_config_artifact, user, "user", 1, MAX_USER, is_user,
                  "a user without : and control characters"),
    FILE_FIELD(password_file, "passwordFile"),
    HF_FIELD_TEXT(struct hf_config_artifact, header, "header", 1, MAX_HEADER, is_header,
                  "the name of a header for a credential, such as X-Api-Key"),
    FILE_FIELD(value_file, "valueFile"),
    HF_FIELD_WORD(struct hf_config_artifact, node_certificate, "clientCertificate", "file", places),
    FILE_FIELD(cert_file, "certFile"),
    FILE_FIELD(key_file, "keyFile"),
    FILE_FIELD(ca_file, "caFile"),
    HF_FIELD_BOOL(struct hf_config_artifact, plain_http, "allowPlainHttp", "false"),
    {0}};

/* An unknown field spoils its item. */
static void unknown(struct hf_decode *decode, const struct hf_field *fields, const char *key,
                    HF_UNUSED const json_t *object)
{
    struct hf_nearest nearest = {.typed = key};

    for (; fields->name != NULL; fields++)
        hf_nearest_try(&nearest, fields->name);
    if (nearest.best == NULL)
        hf_decode_error(decode, "unknown field");
    else
        hf_decode_error(decode, "unknown field; did you mean '%s'?", nearest.best);
}

/* Decodes an item; true if it has no fault. */
static bool decode_item(struct hf_decode *decode, const struct hf_field *fields, json_t *value, void *item)
{
    void (*before)(struct hf_decode *, const struct hf_field *, const char *, const json_t *) = decode->unknown;
    size_t n_errors = decode->issues->n_errors;
    char shown[HF_VALUE_TEXT];

    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected an object, got %s", hf_decode_describe(value, shown));
        return false;
    }
    decode->unknown = unknown;
    hf_field_decode_all(decode, fields, value, item);
    decode->unknown = before;
    return decode->issues->n_errors == n_errors;
}

/* Returns what is wrong with the fields together, or NULL. */
static const char *contradiction(const struct hf_config_artifact *item)
{
    int n = item->node_token + (item->token_file != NULL) + (item->user != NULL) + (item->header != NULL);
    bool has_certificate = item->node_certificate || item->cert_file != NULL;
    bool is_http = strncmp(item->origin, "http:", 5) == 0, has_tls = has_certificate || item->ca_file != NULL;

    if ((item->user == NULL) != (item->password_file == NULL))
        return "user and passwordFile go together";
    if ((item->header == NULL) != (item->value_file == NULL))
        return "header and valueFile go together";
    if ((item->cert_file == NULL) != (item->key_file == NULL))
        return "certFile and keyFile go together";
    if (item->node_certificate && item->cert_file != NULL)
        return "clientCertificate: node excludes certFile and keyFile";
    if (n > 1)
        return "expected one of tokenFrom: node, tokenFile, user and header";
    if (n == 0 && !has_tls)
        return "expected tokenFrom: node, tokenFile, user, header, clientCertificate: node, certFile or caFile";
    if (has_tls && is_http)
        return "an http:// server has no certificate: clientCertificate, certFile and caFile need https://";
    if (has_tls && item->path[0] != '\0' && item->path[1] != '\0')
        return "clientCertificate, certFile and caFile hold for the whole server: put them into an item whose url has "
               "no path";
    if (n > 0 && is_http && !item->plain_http)
        return "the credential would go to the server in plain text: use https://, or set allowPlainHttp: true";
    return NULL;
}

static const struct hf_config_artifact *same_place(const struct hf_config *config,
                                                   const struct hf_config_artifact *item)
{
    for (size_t i = 0; i < config->n_artifacts; i++) {
        const struct hf_config_artifact *other = &config->artifacts[i];
        const char *a = other->path[0] == '\0' ? "/" : other->path, *b = item->path[0] == '\0' ? "/" : item->path;
        if (strcmp(other->origin, item->origin) == 0 && strcmp(a, b) == 0)
            return other;
    }
    return NULL;
}

static void add_artifact(struct hf_decode *decode, struct hf_config *config, json_t *value, size_t index)
{
    struct hf_config_artifact item = {.index = index};

    if (!decode_item(decode, artifact_fields, value, &item))
        return;
    (void)hf_config_origin_of(item.url, schemes, item.origin);
    item.path = item.url + strlen("https://") - (item.url[4] == ':' ? 1 : 0);
    item.path += strcspn(item.path, "/");
    const char *wrong = contradiction(&item);
    const struct hf_config_artifact *other = wrong == NULL ? same_place(config, &item) : NULL;
    if (wrong != NULL)
        hf_decode_error(decode, "%s", wrong);
    else if (other != NULL)
        hf_decode_error(decode, "artifacts[%zu] has the same url", other->index);
    else
        config->artifacts[config->n_artifacts++] = item;
}

/* ---- mirrors ----------------------------------------------------------------------------------------------------- */

static const struct hf_field mirror_fields[] = {
    HF_FIELD_TEXT(struct hf_config_mirror, prefix, "prefix", 1, MAX_URL, is_url, URL_FORM, HF_REQUIRED),
    HF_FIELD_TEXTS(struct hf_config_mirror, to, "to", HF_CONFIG_MAX_MIRROR_URLS, MAX_URL, is_url, URL_FORM, HF_REQUIRED,
                   .min = 1),
    {0}};

static void add_mirror(struct hf_decode *decode, struct hf_config *config, json_t *value, HF_UNUSED size_t index)
{
    struct hf_config_mirror item = {.prefix = NULL};

    if (decode_item(decode, mirror_fields, value, &item))
        config->mirrors[config->n_mirrors++] = item;
}

/* ---- the kubelet's credential providers -------------------------------------------------------------------------- */

static const struct hf_field image_credential_fields[] = {
    PATH_FIELD(struct hf_config_image_credentials, config, "config"),
    PATH_FIELD(struct hf_config_image_credentials, folder, "binDir"),
    {0}};

/* With a fault: none. */
void hf_config_decode_image_credentials(struct hf_decode *decode, struct hf_config *config, json_t *value)
{
    struct hf_config_image_credentials item = {NULL, NULL};

    if (!decode_item(decode, image_credential_fields, value, &item))
        return;
    if (item.config != NULL && item.folder != NULL)
        config->image_credentials = item;
    else
        hf_decode_error(decode, "config and binDir go together, as the kubelet has them");
}

/* ---- the lists --------------------------------------------------------------------------------------------------- */

static void each(struct hf_decode *decode, struct hf_config *config, json_t *list,
                 void (*add)(struct hf_decode *, struct hf_config *, json_t *, size_t))
{
    json_t *value;
    size_t i;

    json_array_foreach(list, i, value) {
        size_t before = hf_decode_enter(decode, NULL, i);
        add(decode, config, value, i);
        hf_decode_leave(decode, before);
    }
}

/* Returns true if the value is a list that is not too long. */
static bool is_list(struct hf_decode *decode, json_t *value)
{
    char shown[HF_VALUE_TEXT];

    if (!json_is_array(value))
        hf_decode_error(decode, "expected a list, got %s", hf_decode_describe(value, shown));
    else if (json_array_size(value) > HF_CONFIG_MAX_ARTIFACTS)
        hf_decode_error(decode, "expected at most %d items, got %zu", HF_CONFIG_MAX_ARTIFACTS, json_array_size(value));
    return json_is_array(value) && json_array_size(value) <= HF_CONFIG_MAX_ARTIFACTS;
}

void hf_config_decode_artifacts(struct hf_decode *decode, struct hf_config *config, json_t *value)
{
    if (!is_list(decode, value))
        return;
    config->artifacts = calloc(json_array_size(value) + 1, sizeof(*config->artifacts));
    decode->out_of_memory = decode->out_of_memory || config->artifacts == NULL;
    if (config->artifacts != NULL)
        each(decode, config, value, add_artifact);
}

void hf_config_decode_mirrors(struct hf_decode *decode, struct hf_config *config, json_t *value)
{
    if (!is_list(decode, value))
        return;
    config->mirrors = calloc(json_array_size(value) + 1, sizeof(*config->mirrors));
    decode->out_of_memory = decode->out_of_memory || config->mirrors == NULL;
    if (config->mirrors != NULL)
        each(decode, config, value, add_mirror);
}
