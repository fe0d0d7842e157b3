/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/login/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "base/parse.h"

enum { MAX_SECRET = 16 << 10, MAX_ARGS = 64, MAX_PATTERN = 512 };
#define CONFIG_GROUP "kubelet.config.k8s.io/"
#define PLUGIN_GROUP "credentialprovider.kubelet.k8s.io/"

/* ---- which image is whose ---------------------------------------------------------------------------------------- */

struct image_place {
    struct hf_view host, port, path;
};

static struct image_place split(const char *text)
{
    size_t n = strcspn(text, "/");
    const char *colon = memchr(text, ':', n);
    size_t host = colon != NULL ? (size_t)(colon - text) : n;

    return (struct image_place){.host = {text, host},
                                .port = {text + host + (colon != NULL ? 1 : 0), colon != NULL ? n - host - 1 : 0},
                                .path = hf_view_of(text + n)};
}

/* `*` is any number of characters. */
static bool label_matches(struct hf_view glob, struct hf_view label)
{
    size_t at = 0, star = SIZE_MAX, from = 0;

    for (size_t i = 0; i < label.n;) {
        if (at < glob.n && glob.p[at] == '*') {
            star = at++;
            from = i;
        } else if (at < glob.n && glob.p[at] == label.p[i]) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (at < glob.n && glob.p[at] == '*')
        at++;
    return at == glob.n;
}

static struct hf_view take_label(struct hf_view *rest)
{
    const char *dot = memchr(rest->p, '.', rest->n);
    size_t n = dot != NULL ? (size_t)(dot - rest->p) : rest->n;
    const struct hf_view label = {rest->p, n};

    n += dot != NULL ? 1 : 0;
    *rest = (struct hf_view){rest->p + n, rest->n - n};
    return label;
}

static size_t count_labels(struct hf_view host)
{
    size_t n = 1;

    for (size_t i = 0; i < host.n; i++)
        n += host.p[i] == '.';
    return n;
}

static bool is_same(struct hf_view a, struct hf_view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool hf_providers_match(const char *pattern, const char *image)
{
    struct image_place glob = split(pattern), target = split(image);

    if (!is_same(glob.port, target.port) || count_labels(glob.host) != count_labels(target.host) ||
        glob.path.n > target.path.n || !is_same(glob.path, (struct hf_view){target.path.p, glob.path.n}))
        return false;
    for (size_t n = count_labels(glob.host); n > 0; n--)
        if (!label_matches(take_label(&glob.host), take_label(&target.host)))
            return false;
    return true;
}

/* Other wildcards than `*`, and what a URL would read as something else, the kubelet reads in its own ways. */
static bool is_pattern(const char *text)
{
    struct image_place place = split(text);

    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("?#[]\\@%\"", *c) != NULL)
            return false;
    for (size_t i = 0; i < place.port.n; i++)
        if (place.port.p[i] < '0' || place.port.p[i] > '9')
            return false;
    return place.host.n > 0 && strlen(text) <= MAX_PATTERN && memchr(place.path.p, '*', place.path.n) == NULL;
}

bool hf_providers_cover(const struct hf_provider *provider, const char *image)
{
    for (size_t i = 0; i < json_array_size(provider->images); i++)
        if (hf_providers_match(json_string_value(json_array_get(provider->images, i)), image))
            return true;
    return false;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static bool is_version(const char *text, const char *group)
{
    size_t n = strlen(group);

    return strncmp(text, group, n) == 0 &&
           (strcmp(text + n, "v1") == 0 || strcmp(text + n, "v1beta1") == 0 || strcmp(text + n, "v1alpha1") == 0);
}

static bool is_name(const char *text)
{
    return text[0] != '\0' && strlen(text) < 128 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
           strpbrk(text, "/\\ \t\r\n") == NULL;
}

static const char *take_images(struct hf_provider *provider, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *pattern = json_string_value(json_array_get(list, i));
        if (pattern == NULL || !is_pattern(pattern))
            return "matchImages: expected HOST[:PORT][/PATH], with * for labels of the host";
    }
    provider->images = list;
    return json_array_size(list) > 0 ? NULL : "matchImages is missing";
}

static bool no_list(const json_t *value)
{
    return value != NULL && !json_is_null(value) && !json_is_array(value);
}

static const char *take_args(struct hf_provider *provider, const json_t *list)
{
    size_t n = json_array_size(list);

    if (no_list(list))
        return "args: expected a list";
    provider->args = calloc(n + 1, sizeof(*provider->args));
    for (size_t i = 0; i < n && provider->args != NULL; i++) {
        provider->args[i] = json_string_value(json_array_get(list, i));
        if (provider->args[i] == NULL)
            return "args: expected texts";
    }
    return n > MAX_ARGS ? "args: too many" : NULL;
}

/* The last one of a name is the one that counts. 1: there was one. */
static size_t drop_variable(char **env, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (env[i] == NULL || strncmp(env[i], name, strlen(name)) != 0 || env[i][strlen(name)] != '=')
            continue;
        hf_buf_wipe_text(&env[i]);
        memmove(env + i, env + i + 1, (n - i) * sizeof(*env));
        return 1;
    }
    return 0;
}

static const char *take_env(struct hf_provider *provider, const json_t *list)
{
    static const char *const ours[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"};
    size_t n = json_array_size(list), at = 0;

    if (no_list(list))
        return "env: expected a list";
    provider->env = calloc(n + HF_LEN(ours) + 1, sizeof(*provider->env));
    for (size_t i = 0; i < HF_LEN(ours) && provider->env != NULL; i++)
        provider->env[at++] = strdup(ours[i]);
    for (size_t i = 0; i < n && provider->env != NULL; i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = hf_json_str_or(item, "name", ""), *value = hf_json_str(item, "value");
        if (name[0] == '\0' || strchr(name, '=') != NULL || value == NULL)
            return "env: expected name and value";
        at -= drop_variable(provider->env, at, name);
        provider->env[at++] = hf_asprintf("%s=%s", name, value);
    }
    for (size_t i = 0; i < at; i++)
        if (provider->env[i] == NULL)
            return "env: not enough memory";
    return n > MAX_ARGS ? "env: too many" : NULL;
}

/* The kubelet would give it a token of the pod's account: the mirror serves the node, and has none. */
static const char *refuse_tokens(const json_t *tokens)
{
    return tokens == NULL || json_is_null(tokens) ? NULL : "tokenAttributes: it needs the token of a pod's account";
}

static const char *take_provider(struct hf_providers *providers, const json_t *item)
{
    struct hf_provider *provider = &providers->items[providers->n];
    const char *keep = hf_json_str(item, "defaultCacheDuration");

    provider->name = hf_json_str_or(item, "name", "");
    provider->api = hf_json_str_or(item, "apiVersion", "");
    if (!is_name(provider->name))
        return "name: expected the name of a program in the folder";
    for (size_t i = 0; i < providers->n; i++)
        if (strcmp(providers->items[i].name, provider->name) == 0)
            return "name: it is there twice";
    providers->n++;
    if (!is_version(provider->api, PLUGIN_GROUP))
        return "apiVersion: expected " PLUGIN_GROUP "v1";
    if (keep == NULL || hf_parse_duration(keep, &provider->keep_ns) < 0)
        return "defaultCacheDuration: expected a duration";
    const char *wrong = take_images(provider, json_object_get(item, "matchImages"));
    wrong = wrong != NULL ? wrong : refuse_tokens(json_object_get(item, "tokenAttributes"));
    wrong = wrong != NULL ? wrong : take_args(provider, json_object_get(item, "args"));
    return wrong != NULL ? wrong : take_env(provider, json_object_get(item, "env"));
}

int hf_providers_parse(struct hf_view text, struct hf_providers **ret_providers, struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = 256 << 10, .max_depth = 8, .max_nodes = 5000};
    _cleanup_(hf_providers_freep) struct hf_providers *providers = calloc(1, sizeof(*providers));

    if (providers == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory");
    int r = hf_yaml_parse(text, &limits, &providers->tree, err);
    if (r < 0)
        return r;
    const json_t *list = json_object_get(providers->tree, "providers");
    if (!is_version(hf_json_str_or(providers->tree, "apiVersion", ""), CONFIG_GROUP) ||
        strcmp(hf_json_str_or(providers->tree, "kind", ""), "CredentialProviderConfig") != 0)
        return hf_err_set(err, EBADMSG, "expected apiVersion " CONFIG_GROUP "v1, kind CredentialProviderConfig");
    if (json_array_size(list) == 0 || json_array_size(list) > HF_PROVIDERS)
        return hf_err_set(err, EBADMSG, "providers: expected a list of 1 to %d", HF_PROVIDERS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *wrong = take_provider(providers, json_array_get(list, i));
        if (wrong != NULL)
            return hf_err_set(err, EBADMSG, "providers[%zu].%s", i, wrong);
        if (providers->items[i].args == NULL || providers->items[i].env == NULL)
            return hf_err_set(err, ENOMEM, "not enough memory");
    }
    *ret_providers = hf_steal(providers);
    return 0;
}

void hf_providers_free(struct hf_providers *providers)
{
    if (providers == NULL)
        return;
    for (size_t i = 0; i < HF_LEN(providers->items); i++) {
        char **env = providers->items[i].env;
        for (size_t k = 0; env != NULL && env[k] != NULL; k++)
            hf_buf_wipe_text(&env[k]);
        free(env);
        free(providers->items[i].args);
    }
    json_decref(providers->tree);
    free(providers);
}

/* ---- question and answer ----------------------------------------------------------------------------------------- */

int hf_providers_ask(const struct hf_provider *provider, const char *image, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:s, s:s, s:s}", "apiVersion", provider->api, "kind", "CredentialProviderRequest", "image", image);

    return json != NULL ? hf_json_format(json, out) : -ENOMEM;
}

/* What would end the header, or the user. */
static bool is_clean(const char *text, bool user)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || (user && *c == ':'))
            return false;
    return strlen(text) <= MAX_SECRET;
}

static char *make_line(const char *user, const char *password)
{
    struct hf_buf pair = HF_BUF_INIT(2 * MAX_SECRET + 1), line = HF_BUF_INIT(3 * MAX_SECRET);
    int r = hf_buf_reserve(&pair, strlen(user) + strlen(password) + 2);

    if (r == 0)
        r = hf_buf_reserve(&line, 2 * pair.cap + 64); /* a buf that grows leaves copies */
    if (r == 0)
        r = hf_buf_addf(&pair, "%s:%s", user, password);
    if (r == 0)
        r = hf_buf_add_str(&line, "Authorization: Basic ");
    if (r == 0)
        r = hf_base64_encode(pair.p, pair.n, &line);
    hf_buf_wipe(&pair);
    if (r == 0)
        return hf_buf_take(&line);
    hf_buf_wipe(&line);
    return NULL;
}

/* Keys may be URLs, and end as the API of registries begins, as in docker's config.json. */
static char *make_pattern(const char *key)
{
    key += strncmp(key, "https://", 8) == 0 ? 8 : strncmp(key, "http://", 7) == 0 ? 7 : 0;
    size_t host = strcspn(key, "/");
    const char *path = key + host;

    if (strncmp(path, "/v1/", 4) == 0 || strncmp(path, "/v2/", 4) == 0)
        path += 3;
    if (strcmp(path, "/") == 0)
        path++;
    return hf_asprintf("%.*s%s", (int)host, key, path);
}

static int take_login(struct hf_provider_answer *answer, const char *key, const json_t *login, struct hf_err *err)
{
    const char *user = hf_json_str_or(login, "username", ""), *password = hf_json_str_or(login, "password", "");

    if (answer->n == HF_PROVIDER_LOGINS)
        return hf_err_set(err, EBADMSG, "its answer has more than %d logins", HF_PROVIDER_LOGINS);
    if (!json_is_object(login) || !is_clean(user, true) || !is_clean(password, false))
        return hf_err_set(err, EBADMSG, "its answer has a login that fits into no header");
    if (user[0] == '\0' && password[0] == '\0')
        return 0;
    char *pattern = make_pattern(key), *line = make_line(user, password);
    if (pattern == NULL || line == NULL) {
        free(pattern);
        hf_buf_wipe_text(&line);
        return hf_err_set(err, ENOMEM, "not enough memory");
    }
    size_t i = answer->n++;
    for (; i > 0 && strcmp(answer->logins[i - 1].pattern, pattern) < 0; i--)
        answer->logins[i] = answer->logins[i - 1];
    answer->logins[i].pattern = pattern;
    answer->logins[i].line = line;
    return 0;
}

static int take_fields(const struct hf_provider *provider, const json_t *json, struct hf_provider_answer *ret,
                       struct hf_err *err)
{
    static const char *const scopes[] = {
        [HF_PROVIDER_IMAGE] = "Image", [HF_PROVIDER_REGISTRY] = "Registry", [HF_PROVIDER_GLOBAL] = "Global"};
    const char *scope = hf_json_str_or(json, "cacheKeyType", "");
    const json_t *keep = json_object_get(json, "cacheDuration"), *auth = json_object_get(json, "auth");
    enum hf_provider_scope i = 0;

    if (strcmp(hf_json_str_or(json, "kind", ""), "CredentialProviderResponse") != 0 ||
        strcmp(hf_json_str_or(json, "apiVersion", ""), provider->api) != 0)
        return hf_err_set(err, EBADMSG, "its answer is not a CredentialProviderResponse of %s", provider->api);
    while (i < HF_LEN(scopes) && strcmp(scope, scopes[i]) != 0)
        i++;
    if (i == HF_LEN(scopes))
        return hf_err_set(err, EBADMSG, "its answer has no cacheKeyType of Image, Registry and Global");
    ret->scope = i;
    ret->keep_ns = provider->keep_ns;
    if (keep != NULL && !json_is_null(keep) &&
        (!json_is_string(keep) || hf_parse_duration(json_string_value(keep), &ret->keep_ns) < 0))
        return hf_err_set(err, EBADMSG, "its answer has a cacheDuration that is not a duration");
    if (auth != NULL && !json_is_null(auth) && !json_is_object(auth))
        return hf_err_set(err, EBADMSG, "its answer has an auth that is not an object");
    const char *key;
    json_t *login;
    int r = 0;
    json_object_foreach(hf_json_mutable(auth), key, login) {
        r = take_login(ret, key, login, err);
        if (r < 0)
            break;
    }
    return r;
}

int hf_providers_take(const struct hf_provider *provider, struct hf_view text, struct hf_provider_answer *ret,
                      struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = HF_PROVIDER_ANSWER, .max_depth = 8, .max_nodes = 1000};
    _cleanup_(hf_json_freep) json_t *json = NULL;

    *ret = (struct hf_provider_answer){.n = 0};
    int r = hf_json_parse(text, &limits, &json, NULL); /* whose error has the place only, which helps nobody */
    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "not enough memory");
    return r < 0 ? hf_err_set(err, EBADMSG, "its answer is not JSON") : take_fields(provider, json, ret, err);
}

void hf_provider_answer_done(struct hf_provider_answer *answer)
{
    for (size_t i = 0; i < answer->n; i++) {
        free(answer->logins[i].pattern);
        hf_buf_wipe_text(&answer->logins[i].line);
    }
    answer->n = 0;
}

const char *hf_provider_answer_for(const struct hf_provider_answer *answer, const char *image)
{
    for (size_t i = 0; i < answer->n; i++)
        if (hf_providers_match(answer->logins[i].pattern, image))
            return answer->logins[i].line;
    return NULL;
}
