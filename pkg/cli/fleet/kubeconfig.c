/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses one cluster and one user from the files of a kubeconfig, as kubectl does, and makes one file of them.
 *
 * Entries come from the first file that has them. The options of the command line choose the context, cluster and
 * user, and then override their fields. Relative file names are made absolute first, because each is relative to its
 * own file. The result has one context, for the parser in pkg/kube.
 *
 * Fields that kubectl honours and this program does not are refused, with their name: to ignore one could mean
 * another server, or another user, than a person expects. */
#include "cli/fleet/kubeconfig.h"

#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"

/* The three lists of a kubeconfig, and the member of an entry that holds its fields. */
struct kubeconfig_list {
    const char *key, *member, *option;
};
static const struct kubeconfig_list clusters = {"clusters", "cluster", "--cluster"},
                                    users = {"users", "user", "--user"},
                                    contexts = {"contexts", "context", "--context"};

/* ---- file names -------------------------------------------------------------------------------------------------- */

/* Puts the folder of the kubeconfig in front of a relative file name. */
static int make_absolute(json_t *object, const char *key, const char *path, struct hf_err *err)
{
    const char *text = json_string_value(json_object_get(object, key));
    const char *slash = strrchr(path, '/');

    if (text == NULL || text[0] == '\0' || text[0] == '/' || slash == NULL)
        return 0;
    _cleanup_(hf_freep) char *full = hf_asprintf("%.*s%s", (int)(slash - path) + 1, path, text);
    if (full == NULL || json_object_set_new(object, key, json_string(full)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

static int place_entry(json_t *entry, const char *path, struct hf_err *err)
{
    static const char *const keys[] = {"certificate-authority", "client-certificate", "client-key", "tokenFile"};
    json_t *fields = json_object_get(entry, "cluster");
    int r = 0;

    if (fields == NULL)
        fields = json_object_get(entry, "user");
    for (size_t i = 0; r == 0 && i < HF_LEN(keys); i++)
        r = make_absolute(fields, keys[i], path, err);
    json_t *exec = json_object_get(fields, "exec");
    const char *command = json_string_value(json_object_get(exec, "command"));
    if (r == 0 && command != NULL && strchr(command, '/') != NULL) /* a bare name is looked up in PATH */
        r = make_absolute(exec, "command", path, err);
    return r;
}

static int place_file(struct hf_kubeconfig_file *file, struct hf_err *err)
{
    static const struct kubeconfig_list *const lists[] = {&clusters, &users, &contexts};
    const char *kind = hf_json_str(file->root, "kind");
    int r = 0;

    if (!json_is_object(file->root) || (kind != NULL && strcmp(kind, "Config") != 0))
        return hf_err_set(err, EBADMSG, "'%s' is not a kubeconfig: expected an object of kind Config", file->path);
    for (size_t i = 0; i < HF_LEN(lists); i++) {
        json_t *entries = json_object_get(file->root, lists[i]->key);
        if (entries != NULL && !json_is_null(entries) && !json_is_array(entries))
            return hf_err_set(err, EBADMSG, "kubeconfig '%s': '%s' must be a list", file->path, lists[i]->key);
        for (size_t k = 0; r == 0 && k < json_array_size(entries); k++)
            r = place_entry(json_array_get(entries, k), file->path, err);
    }
    return r;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

struct kubeconfig_files {
    struct hf_kubeconfig_file *files;
    size_t n;
};

/* Returns the entry, or NULL; *ret_path receives the name of its file. */
static const json_t *find(const struct kubeconfig_files *all, const struct kubeconfig_list *list, const char *name,
                          const char **ret_path)
{
    for (size_t i = 0; i < all->n; i++) {
        const json_t *entries = json_object_get(all->files[i].root, list->key);
        for (size_t k = 0; k < json_array_size(entries); k++)
            if (strcmp(hf_json_str_or(json_array_get(entries, k), "name", ""), name) == 0) {
                *ret_path = all->files[i].path;
                return json_array_get(entries, k);
            }
    }
    return NULL;
}

/* Lists names of entries for an error text, cut where the text is full. */
static const char *list_names(const struct kubeconfig_files *all, const struct kubeconfig_list *list, char *text,
                              size_t n)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < all->n; i++) {
        const json_t *entries = json_object_get(all->files[i].root, list->key);
        for (size_t k = 0; k < json_array_size(entries) && used < n; k++)
            used += (size_t)snprintf(text + used, n - used, "%s%.40s", used > 0 ? ", " : "",
                                     hf_json_str_or(json_array_get(entries, k), "name", "?"));
    }
    if (used >= n && n > 4)
        memcpy(text + n - 4, "...", 4);
    return used > 0 ? text : "none";
}

/* An entry that an option, or a context, names and that no file has. */
static int missing(const struct kubeconfig_files *all, const struct kubeconfig_list *list, const char *name,
                   const char *context, struct hf_err *err)
{
    struct hf_nearest nearest = {.typed = name};
    char names[100];

    for (size_t i = 0; i < all->n; i++) {
        const json_t *entries = json_object_get(all->files[i].root, list->key);
        for (size_t k = 0; k < json_array_size(entries); k++)
            hf_nearest_try(&nearest, hf_json_str_or(json_array_get(entries, k), "name", ""));
    }
    if (context != NULL)
        return hf_err_set(err, EBADMSG, "context '%.60s' names the %s '%.60s', which '%s' does not have (it has %s)",
                          context, list->member, name, list->key, list_names(all, list, names, sizeof(names)));
    if (nearest.best != NULL)
        return hf_err_set(err, EINVAL, "%s: no %s '%.60s'; did you mean '%.60s'?", list->option, list->member, name,
                          nearest.best);
    return hf_err_set(err, EINVAL, "%s: no %s '%.60s' (there are: %s)", list->option, list->member, name,
                      list_names(all, list, names, sizeof(names)));
}

static const char *current_context(const struct kubeconfig_files *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *name = hf_json_str_or(all->files[i].root, "current-context", "");
        if (name[0] != '\0')
            return name;
    }
    return "";
}

/* Copies the fields of an entry; an empty object if `name` is "". */
static int copy_fields(const struct kubeconfig_files *all, const struct kubeconfig_list *list, const char *name,
                       const char *context, json_t **ret_fields, const char **path, struct hf_err *err)
{
    const json_t *entry = name[0] != '\0' ? find(all, list, name, path) : NULL;
    const json_t *fields = json_object_get(entry, list->member);

    if (name[0] != '\0' && entry == NULL)
        return missing(all, list, name, context, err);
    if (fields != NULL && !json_is_null(fields) && !json_is_object(fields))
        return hf_err_set(err, EBADMSG, "kubeconfig '%s': %s '%.60s': '%s' must be an object", *path, list->key, name,
                          list->member);
    *ret_fields = json_is_object(fields) ? json_deep_copy(fields) : json_object();
    return *ret_fields != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

/* Names of the entries that the options and the context choose. */
struct kubeconfig_names {
    const char *context, *cluster, *user, *path;
};

static int no_context(const struct kubeconfig_files *all, struct hf_err *err)
{
    char names[120];

    return hf_err_set(err, EINVAL, "kubeconfig '%.80s' has no 'current-context'; give --context (there are: %s)",
                      all->n > 0 ? all->files[0].path : "", list_names(all, &contexts, names, sizeof(names)));
}

static int choose_names(const struct kubeconfig_files *all, const struct hf_kubeconfig_options *options,
                        struct kubeconfig_names *names, struct hf_err *err)
{
    const char *wanted = options->context != NULL ? options->context : current_context(all);
    const json_t *context = NULL;
    bool enough = options->server != NULL || options->cluster != NULL;

    *names = (struct kubeconfig_names){"", "", "", all->n > 0 ? all->files[0].path : "the options"};
    if (wanted[0] == '\0' && !enough)
        return no_context(all, err);
    if (wanted[0] != '\0') {
        context = json_object_get(find(all, &contexts, wanted, &names->path), "context");
        if (context == NULL && options->context == NULL && find(all, &contexts, wanted, &names->path) == NULL)
            return hf_err_set(err, EBADMSG,
                              "kubeconfig '%.80s': 'current-context' is '%.60s', which 'contexts' does not have; give "
                              "--context or correct it",
                              names->path, wanted);
        if (find(all, &contexts, wanted, &names->path) == NULL)
            return missing(all, &contexts, wanted, NULL, err);
        names->context = wanted;
        names->cluster = hf_json_str_or(context, "cluster", "");
        names->user = hf_json_str_or(context, "user", "");
    }
    if (options->cluster != NULL)
        names->cluster = options->cluster;
    if (options->user != NULL)
        names->user = options->user;
    if (names->cluster[0] == '\0' && options->server == NULL)
        return hf_err_set(err, EBADMSG, "kubeconfig '%.80s': context '%.60s' has no 'cluster'", names->path, wanted);
    return 0;
}

/* Options win over the fields of the cluster. */
static int override_cluster(json_t *cluster, const struct hf_kubeconfig_options *options)
{
    int r = 0;

    if (options->server != NULL)
        r |= json_object_set_new(cluster, "server", json_string(options->server));
    if (options->insecure || options->ca_file != NULL) {
        (void)json_object_del(cluster, "certificate-authority");
        (void)json_object_del(cluster, "certificate-authority-data");
        (void)json_object_del(cluster, "insecure-skip-tls-verify");
    }
    if (options->insecure)
        r |= json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
    if (options->ca_file != NULL)
        r |= json_object_set_new(cluster, "certificate-authority", json_string(options->ca_file));
    return r;
}

/* A token of the command line replaces every other proof of who the user is, except a client certificate. */
static int override_user(json_t *user, const struct hf_kubeconfig_options *options)
{
    static const char *const replaced[] = {"tokenFile", "exec", "auth-provider", "username", "password"};

    if (options->token == NULL)
        return 0;
    for (size_t i = 0; i < HF_LEN(replaced); i++)
        (void)json_object_del(user, replaced[i]);
    return json_object_set_new(user, "token", json_string(options->token));
}

/* Takes ownership of both trees. */
static json_t *with_one_context(json_t *cluster, json_t *user)
{
    return json_pack("{s:s, s:s, s:s, s:[{s:s, s:{s:s, s:s}}], s:[{s:s, s:o}], s:[{s:s, s:o}]}", "apiVersion", "v1",
                     "kind", "Config", "current-context", "chosen", "contexts", "name", "chosen", "context", "cluster",
                     "chosen", "user", "chosen", "clusters", "name", "chosen", "cluster", cluster, "users", "name",
                     "chosen", "user", user);
}

/* Fields that kubectl honours and this program does not: to ignore one would surprise somebody later. */
static int refuse(const json_t *fields, const struct kubeconfig_names *names, struct hf_err *err)
{
    static const struct {
        const char *key, *instead;
    } rows[] = {
        {"proxy-url", "set the environment variable HTTPS_PROXY"},
        {"auth-provider", "use a credential plugin (exec)"},
        {"username", "use a token, a client certificate or a credential plugin"},
        {"password", "use a token, a client certificate or a credential plugin"},
        {"as", "use the credentials of that user"},
        {"as-uid", "use the credentials of that user"},
        {"as-groups", "use the credentials of such a user"},
        {"as-user-extra", "use the credentials of such a user"},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const json_t *value = json_object_get(fields, rows[i].key);
        bool empty = value == NULL || json_is_null(value) ||
                     (json_is_string(value) && json_string_length(value) == 0) ||
                     (json_is_array(value) && json_array_size(value) == 0);
        if (!empty)
            return hf_err_set(err, EBADMSG, "kubeconfig '%.80s' uses '%s', which is not supported; %s", names->path,
                              rows[i].key, rows[i].instead);
    }
    return 0;
}

static int check_server(const json_t *cluster, const struct kubeconfig_names *names, struct hf_err *err)
{
    const json_t *server = json_object_get(cluster, "server");

    if (json_is_string(server) && json_string_length(server) > 0)
        return 0;
    return hf_err_set(err, EBADMSG, "kubeconfig '%.80s': cluster '%.60s' has no 'server'; give --server URL",
                      names->path, names->cluster);
}

static int build(const struct kubeconfig_files *all, const struct hf_kubeconfig_options *options,
                 const struct kubeconfig_names *names, struct hf_kubeconfig_choice *choice, struct hf_err *err)
{
    const char *context = options->cluster == NULL ? names->context : NULL;
    const char *user_context = options->user == NULL ? names->context : NULL, *path = names->path;
    json_t *cluster = NULL, *user = NULL;
    int r = copy_fields(all, &clusters, names->cluster, context, &cluster, &path, err);

    if (r == 0)
        r = copy_fields(all, &users, names->user, user_context, &user, &path, err);
    if (r == 0 && (override_cluster(cluster, options) != 0 || override_user(user, options) != 0))
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = refuse(cluster, names, err);
    if (r == 0)
        r = refuse(user, names, err);
    if (r == 0)
        r = check_server(cluster, names, err);
    if (r < 0) {
        json_decref(cluster);
        json_decref(user);
        return r;
    }
    if (json_object_del(user, "exec") == 0) {
        const char *ignored;
        choice->exec = json_object_get(json_object_get(find(all, &users, names->user, &ignored), "user"), "exec");
    }
    choice->config = with_one_context(cluster, user);
    return choice->config != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

int hf_kubeconfig_pick(struct hf_kubeconfig_file *files, size_t n, const struct hf_kubeconfig_options *options,
                       struct hf_kubeconfig_choice *ret_choice, struct hf_err *err)
{
    const struct kubeconfig_files all = {files, n};
    struct hf_kubeconfig_choice choice = {.config = NULL};
    struct kubeconfig_names names;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = place_file(&files[i], err);
    if (r == 0)
        r = choose_names(&all, options, &names, err);
    if (r == 0)
        r = build(&all, options, &names, &choice, err);
    if (r < 0)
        return r;
    choice.context = names.context;
    choice.path = names.path;
    *ret_choice = choice;
    return 0;
}
