/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the cluster for the commands on a fleet: find the kubeconfig, get credentials, send calls, list.
 *
 * The files are those of --kubeconfig, else KUBECONFIG, else ~/.kube/config, else, on a K3s server, the one that K3s
 * writes there. After a 401 the credentials are read again: a token file may have changed, and a plugin makes a new
 * one. The commands are written as plain sequences, so each call runs the loop until its answer has come. A busy server
 * is asked again within RETRY_NS.
 *
 * Lists come in pages, each handed on at once, so that memory does not grow with the fleet. A continue token that
 * has expired begins the list again, at most MAX_RESTARTS times. Exit codes 3 and 4 say something about a rollout,
 * so no other failure may end with them. */
#include "cli/fleet/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/net/host.h"
#include "base/net/url_escape.h"
#include "cli/fleet/kubeconfig.h"
#include "cli/fleet/plugin.h"
#include "cli/plain.h"
#include "codec/plain.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "os/file.h"
#include "os/rand_posix.h"

#define K3S_KUBECONFIG "/etc/rancher/k3s/k3s.yaml"

enum { MAX_FILES = 16, MAX_FILE_BYTES = 4 << 20, PAGE = 500, MAX_RESTARTS = 3, MAX_PAGES = 2000 };
#define RETRY_NS (30 * HF_NS_PER_S)
#define FIRST_PAUSE_NS (HF_NS_PER_S / 2)

struct hf_cluster {
    struct hf_cli *cli;
    struct hf_loop *loop, *own_loop; /* own_loop: to free, or NULL */
    struct hf_http_client *http;
    struct hf_kube *kube;
    struct hf_kube_config config;
    struct hf_kubeconfig_file files[MAX_FILES];
    char *paths[MAX_FILES];
    size_t n_files;
    struct hf_kubeconfig_choice choice;
    struct hf_timer *timer;
    uint64_t date_unix_ns;
    /* the call that the loop runs for */
    bool answered;
    int r;
    uint64_t retry_after_ns;
    json_t *object;
    char reason[64];
    struct hf_err *err;
};

static const char *get_environment(const char *name)
{
    return getenv(name);
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

static const char *const flags[] = {
    "kubeconfig", "context", "cluster", "user", "server", "token", "certificate-authority", "insecure-skip-tls-verify"};

bool hf_cluster_requested(const struct hf_cli_args *args)
{
    for (size_t i = 0; i < HF_LEN(flags); i++)
        if (hf_cli_flag(args, flags[i]))
            return true;
    return false;
}

bool hf_cluster_is_meant(const struct hf_cli_args *args)
{
    return hf_cli_flag(args, "fleet") || hf_cluster_requested(args);
}

static char *home_kubeconfig(void)
{
    const char *home = getenv("HOME");

    return home != NULL && home[0] != '\0' ? hf_asprintf("%s/.kube/config", home) : NULL;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

bool hf_cluster_has_kubeconfig(void)
{
    _cleanup_(hf_freep) char *home = home_kubeconfig();

    return is_set("KUBECONFIG") || (home != NULL && access(home, F_OK) == 0) || access(K3S_KUBECONFIG, F_OK) == 0;
}

/* Reads one file of the list; `must` is false for files that may be absent. */
static int read_kubeconfig(struct hf_cluster *cluster, struct hf_view path, bool must, struct hf_err *err)
{
    const struct hf_json_limits limits = {.max_bytes = MAX_FILE_BYTES};
    struct hf_buf text = HF_BUF_INIT(MAX_FILE_BYTES);
    char *name = hf_view_dup(path);
    json_t *root = NULL;
    int r;

    if (name == NULL || cluster->n_files == MAX_FILES) {
        free(name);
        return hf_err_set(err, E2BIG, "KUBECONFIG names more than %d files", MAX_FILES);
    }
    r = hf_file_read(cluster->cli->fs, name, &text, err);
    if (r == -EINVAL) /* not a regular file: a pipe, as of a shell's <(...) */
        r = hf_cli_read_whole(cluster->cli, name, &text, err);
    if (r == 0)
        r = hf_yaml_parse(hf_buf_view(&text), &limits, &root, err);
    hf_buf_wipe(&text);
    if (r == 0) {
        cluster->paths[cluster->n_files] = name;
        cluster->files[cluster->n_files++] = (struct hf_kubeconfig_file){name, root};
        return 0;
    }
    r = r == -ENOENT && !must ? 0 : hf_err_wrap(err, r, "kubeconfig '%s'", name);
    free(name);
    return r;
}

/* The file of K3s' own kubectl. Its credentials go to no server that --server names; a pod has its own. */
static int read_k3s(struct hf_cluster *cluster, const struct hf_cli_args *args, struct hf_err *err)
{
    if (cluster->n_files > 0 || hf_cli_flag(args, "server") || is_set("KUBERNETES_SERVICE_HOST"))
        return 0;
    return read_kubeconfig(cluster, hf_view_of(K3S_KUBECONFIG), false, err);
}

/* The files of --kubeconfig, else of KUBECONFIG, else ~/.kube/config, else of K3s. */
static int read_kubeconfigs(struct hf_cluster *cluster, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *option = hf_cli_value(args, "kubeconfig", NULL), *list = getenv("KUBECONFIG");
    _cleanup_(hf_freep) char *home = home_kubeconfig();
    struct hf_view rest = hf_view_of(list), path;
    int r = 0;

    if (option != NULL)
        return read_kubeconfig(cluster, hf_view_of(option), true, err);
    if (list == NULL || list[0] == '\0')
        r = home != NULL ? read_kubeconfig(cluster, hf_view_of(home), false, err) : 0;
    if (list == NULL || list[0] == '\0')
        return r == 0 ? read_k3s(cluster, args, err) : r;
    while (r == 0 && hf_view_split(&rest, ':', &path))
        if (path.n > 0)
            r = read_kubeconfig(cluster, path, false, err);
    if (r == 0 && cluster->n_files == 0)
        r = hf_err_set(err, ENOENT, "KUBECONFIG names '%.100s', which does not exist", list);
    return r;
}

static void drop_kubeconfigs(struct hf_cluster *cluster)
{
    for (size_t i = 0; i < cluster->n_files; i++) {
        json_decref(cluster->files[i].root);
        free(cluster->paths[i]);
    }
}

void hf_cluster_contexts(struct hf_cli *cli, const struct hf_cli_args *args, void (*take)(void *arg, const char *name),
                         void *arg)
{
    struct hf_cluster cluster = {.cli = cli};
    struct hf_err ignored = HF_ERR_INIT;

    (void)!read_kubeconfigs(&cluster, args, &ignored);
    for (size_t i = 0; i < cluster.n_files; i++) {
        const json_t *contexts = json_object_get(cluster.files[i].root, "contexts");
        for (size_t k = 0; k < json_array_size(contexts); k++) {
            const char *name = hf_json_str_or(json_array_get(contexts, k), "name", "");
            if (name[0] != '\0')
                take(arg, name);
        }
    }
    drop_kubeconfigs(&cluster);
}

/* ---- the credentials --------------------------------------------------------------------------------------------- */

static int run_plugin(struct hf_cluster *cluster, struct hf_err *err)
{
    struct hf_kube_config *config = &cluster->config;
    struct hf_plugin_cluster about = {config->server, config->ca_pem, config->tls_server_name,
                                      config->insecure_skip_verify};
    struct hf_plugin_credential found;
    bool has_terminal = isatty(cluster->cli->in_fd) == 1;
    int r = hf_plugin_run(cluster->choice.exec, &about, has_terminal, &found, err);

    if (r < 0)
        return hf_err_wrap(err, r, "kubeconfig '%s'", cluster->choice.path);
    if (strncmp(config->server, "https://", 8) != 0 && !hf_host_is_loopback(hf_host_of_url(config->server))) {
        hf_plugin_done(&found);
        return hf_err_set(err, EACCES, "server '%.80s': the credentials of a plugin are not sent without TLS",
                          config->server);
    }
    struct hf_plugin_credential former = {config->token, config->client_cert_pem, config->client_key_pem, 0};
    hf_plugin_done(&former);
    config->token = found.token;
    config->client_cert_pem = found.cert_pem;
    config->client_key_pem = found.key_pem;
    return 0;
}

/* After a 401: a token file may have changed, and a plugin makes a new credential. */
static int reauthenticate(void *arg, struct hf_err *err)
{
    struct hf_cluster *cluster = arg;
    int r = cluster->choice.exec != NULL ? run_plugin(cluster, err)
                                         : hf_kube_config_reload(cluster->cli->fs, &cluster->config, err);
    struct hf_http_config config = hf_kube_config_http(&cluster->config, "holdfast/" HF_VERSION);

    return r < 0 ? r : hf_http_client_update(cluster->http, &config, err);
}

static int parse_choice(struct hf_cluster *cluster, struct hf_err *err)
{
    struct hf_buf text = HF_BUF_INIT(MAX_FILE_BYTES);
    int r = hf_json_format(cluster->choice.config, &text);

    if (r < 0)
        r = hf_err_set(err, -r, "kubeconfig '%s' is too large", cluster->choice.path);
    if (r == 0) /* JSON is YAML too */
        r = hf_kube_config_parse(cluster->cli->fs, hf_buf_view(&text), cluster->choice.path, &cluster->config, err);
    hf_buf_wipe(&text);
    return r;
}

/* A path of the command line is relative to the working folder, one of a kubeconfig to the folder of that file. */
static char *from_working_folder(const char *path)
{
    _cleanup_(hf_freep) char *folder = path != NULL && path[0] != '/' ? getcwd(NULL, 0) : NULL;

    if (path == NULL)
        return NULL;
    return folder != NULL ? hf_asprintf("%s/%s", folder, path) : strdup(path);
}

static int find_server(struct hf_cluster *cluster, const char *context, const struct hf_cli_args *args,
                       struct hf_err *err)
{
    _cleanup_(hf_freep) char *ca_file = from_working_folder(hf_cli_value(args, "certificate-authority", NULL));
    const struct hf_kubeconfig_options options = {
        .context = context != NULL ? context : hf_cli_value(args, "context", NULL),
        .cluster = hf_cli_value(args, "cluster", NULL),
        .user = hf_cli_value(args, "user", NULL),
        .server = hf_cli_value(args, "server", NULL),
        .token = hf_cli_value(args, "token", NULL),
        .ca_file = ca_file,
        .insecure = hf_cli_flag(args, "insecure-skip-tls-verify"),
    };
    int r = read_kubeconfigs(cluster, args, err);

    if (r < 0)
        return r;
    if (options.insecure && options.ca_file != NULL)
        return hf_err_set(err, EINVAL, "--insecure-skip-tls-verify and --certificate-authority exclude each other");
    if (cluster->n_files == 0 && !hf_cluster_requested(args) && is_set("KUBERNETES_SERVICE_HOST"))
        return hf_kube_config_find(cluster->cli->fs, NULL, NULL, get_environment, &cluster->config, err);
    if (cluster->n_files == 0 && options.server == NULL)
        return hf_err_set(err, ENOENT,
                          "no kubeconfig: give --kubeconfig FILE or --server URL, set KUBECONFIG, or make "
                          "~/.kube/config");
    r = hf_kubeconfig_pick(cluster->files, cluster->n_files, &options, &cluster->choice, err);
    if (r == 0)
        r = parse_choice(cluster, err);
    if (r == 0 && cluster->choice.exec != NULL)
        r = run_plugin(cluster, err);
    return r;
}

/* ---- open, close ------------------------------------------------------------------------------------------------- */

static void wake(void *arg)
{
    struct hf_cluster *cluster = arg;

    hf_loop_stop(cluster->loop);
}

static int connect_cluster(struct hf_cluster *cluster, struct hf_err *err)
{
    struct hf_http_config config = hf_kube_config_http(&cluster->config, "holdfast/" HF_VERSION);

    if (cluster->loop == NULL)
        cluster->loop = cluster->own_loop = hf_loop_new(err);
    if (cluster->loop == NULL)
        return -err->code;
    cluster->http = hf_http_client_new(cluster->loop, &config, err);
    if (cluster->http == NULL)
        return -err->code;
    const struct hf_sched_ops *sched = hf_loop_sched(cluster->loop);
    const struct hf_kube_params params = {
        .config = &cluster->config,
        .api = HF_KUBE_APISERVER,
        .field_manager = "holdfast-cli",
        .world = {.clock = cluster->cli->clock, .rng = hf_rand_posix(), .sched = sched},
        .http = hf_http_client_ops(cluster->http),
        .reauthenticate = reauthenticate,
        .arg = cluster,
        .fleet = true,
    };
    cluster->kube = hf_kube_new(&params, err);
    cluster->timer = hf_timer_new(sched, wake, cluster);
    if (cluster->kube == NULL || cluster->timer == NULL)
        return cluster->kube == NULL ? -err->code : hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

/* Exit codes 3 and 4 of the commands on a fleet say something about the rollout, so no other failure may use them. */
static int plain_failure(int r, struct hf_err *err)
{
    hf_cli_plain_text(err->cause);
    hf_cli_plain_text(err->where);
    switch (-r) {
    case EBADMSG:
    case EKEYREJECTED:
    case EOPNOTSUPP:
        err->code = EIO;
        return -EIO;
    case ESTALE:
        err->code = EEXIST;
        return -EEXIST;
    default:
        return r;
    }
}

int hf_cluster_open(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_cluster **ret_cluster,
                    struct hf_err *err)
{
    return hf_cluster_open_in(NULL, NULL, cli, args, ret_cluster, err);
}

int hf_cluster_open_in(struct hf_loop *loop, const char *context, struct hf_cli *cli, const struct hf_cli_args *args,
                       struct hf_cluster **ret_cluster, struct hf_err *err)
{
    struct hf_cluster *cluster = calloc(1, sizeof(*cluster));
    int r;

    if (cluster == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    cluster->cli = cli;
    cluster->loop = loop;
    r = find_server(cluster, context, args, err);
    if (r >= 0)
        r = connect_cluster(cluster, err);
    if (r < 0) {
        hf_cluster_close(cluster);
        return plain_failure(r, err);
    }
    *ret_cluster = cluster;
    return 0;
}

void hf_cluster_close(struct hf_cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->timer != NULL) {
        const struct hf_sched_ops *sched = hf_loop_sched(cluster->loop);
        hf_timer_free(sched, cluster->timer);
    }
    hf_kube_free(cluster->kube);
    hf_http_client_free(cluster->http);
    hf_loop_free(cluster->own_loop);
    hf_kube_config_done(&cluster->config);
    json_decref(cluster->choice.config);
    drop_kubeconfigs(cluster);
    free(cluster);
}

struct hf_kube *hf_cluster_kube(const struct hf_cluster *cluster)
{
    return cluster->kube;
}

const char *hf_cluster_server(const struct hf_cluster *cluster)
{
    return cluster->config.server;
}

uint64_t hf_cluster_now_unix_ns(const struct hf_cluster *cluster)
{
    return cluster->date_unix_ns != 0 ? cluster->date_unix_ns : hf_unix_ns(cluster->cli->clock);
}

void hf_cluster_sleep(struct hf_cluster *cluster, uint64_t ns)
{
    (void)fflush(cluster->cli->out);
    hf_timer_arm(hf_loop_sched(cluster->loop), cluster->timer, ns);
    hf_loop_run(cluster->loop);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void take_answer(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_cluster *cluster = arg;

    cluster->answered = true;
    cluster->r = answer->r;
    cluster->retry_after_ns = answer->retry_after_ns;
    if (answer->date_unix_ns != 0)
        cluster->date_unix_ns = answer->date_unix_ns;
    if (answer->r == 0)
        cluster->object = json_incref(hf_json_mutable(answer->object));
    else
        *cluster->err = answer->err;
    (void)snprintf(cluster->reason, sizeof(cluster->reason), "%s", answer->reason != NULL ? answer->reason : "");
    hf_loop_stop(cluster->loop);
}

/* Sends the call once. On success cluster->object is the answer. */
static int send_once(struct hf_cluster *cluster, const struct hf_kube_call *call, struct hf_err *err)
{
    struct hf_kube_pending *pending;

    cluster->answered = false;
    cluster->object = NULL;
    cluster->err = err;
    int r = hf_kube_call_send(cluster->kube, call, take_answer, cluster, &pending, err);
    if (r < 0)
        return r;
    while (!cluster->answered)
        hf_loop_run(cluster->loop);
    return cluster->r;
}

int hf_cluster_explain(const struct hf_cluster *cluster, const struct hf_kube_call *call, int r, struct hf_err *err)
{
    bool reads = call->verb == HF_KUBE_GET || call->verb == HF_KUBE_LIST;
    const char *hint = "";

    if (r == -ENOENT && call->name == NULL)
        hint = " (does this cluster have holdfast's CRDs? install them with the chart)";
    else if (r == -EACCES && strcmp(call->plural, "nodes") == 0)
        hint = " (--selector needs the right to list nodes)";
    else if (r == -EACCES)
        hint = reads ? " (bind the user to the ClusterRole view)" : " (bind the user to the ClusterRole edit)";
    else if (r == -EKEYREJECTED || r == -EREMCHG)
        hint = " (is this the right certificate-authority in the kubeconfig?)";
    else if (r == -ECONNREFUSED || r == -EDESTADDRREQ || r == -EHOSTUNREACH || r == -ETIMEDOUT)
        hint = " (is this the right context?)";
    r = hf_err_wrap(err, r, "%s %s%s%.80s at %.80s%s", reads ? "read" : "change", call->plural,
                    call->name != NULL ? "/" : "", call->name != NULL ? call->name : "", cluster->config.server, hint);
    return plain_failure(r, err);
}

/* Like hf_cluster_call(), but keeps -ESTALE for hf_cluster_each(). */
static int call_raw(struct hf_cluster *cluster, const struct hf_kube_call *call, struct hf_err *err)
{
    uint64_t begin = hf_mono_ns(cluster->cli->clock), pause = FIRST_PAUSE_NS;
    int r;

    for (;;) {
        r = send_once(cluster, call, err);
        uint64_t spent = hf_mono_ns(cluster->cli->clock) - begin;
        uint64_t wait = HF_MAX(pause, cluster->retry_after_ns);
        if (r != -EAGAIN || spent + wait > RETRY_NS)
            return r;
        hf_cluster_sleep(cluster, wait);
        pause *= 2;
    }
}

int hf_cluster_check_name(const char *name, struct hf_err *err)
{
    size_t n = strlen(name);

    if (strchr(name, '/') != NULL)
        return hf_err_set(err, EINVAL, "'%.80s' is not the name of an object; give the name without its kind", name);
    if (n == 0 || n > HF_API_MAX_NAME || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != n)
        return hf_err_set(err, EINVAL,
                          "'%.80s' is not the name of an object: lower case letters, digits, '-' and '.', at most %d",
                          name, HF_API_MAX_NAME);
    return 0;
}

int hf_cluster_call(struct hf_cluster *cluster, const struct hf_kube_call *call, json_t **ret_object,
                    struct hf_err *err)
{
    int r = call->name != NULL ? hf_cluster_check_name(call->name, err) : 0;

    if (r < 0)
        return plain_failure(r, err);
    r = call_raw(cluster, call, err);
    if (r < 0)
        return hf_cluster_explain(cluster, call, r, err);
    if (ret_object != NULL)
        *ret_object = hf_steal(cluster->object);
    json_decref(cluster->object);
    cluster->object = NULL;
    return 0;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static int page_query(const struct hf_cluster_list *list, const char *next, struct hf_buf *query)
{
    int r = hf_buf_addf(query, "limit=%d", PAGE);

    if (r == 0 && list->selector != NULL && list->selector[0] != '\0')
        r = hf_buf_add_str(query, "&labelSelector=");
    if (r == 0 && list->selector != NULL)
        r = hf_url_escape(list->selector, query);
    if (r == 0 && next[0] != '\0')
        r = hf_buf_add_str(query, "&continue=");
    return r == 0 ? hf_url_escape(next, query) : r;
}

/* Gets one page and hands its items on. *next is the continue token before and after. */
static int take_page(struct hf_cluster *cluster, const struct hf_cluster_list *list, char **next, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf query = HF_BUF_INIT(64 << 10);
    struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_LIST, list->api_version, list->plural, NULL, .metadata_only = list->metadata_only);

    if (page_query(list, *next != NULL ? *next : "", &query) < 0)
        return hf_err_set(err, E2BIG, "the label selector is too long");
    call.query = hf_buf_str(&query);
    int r = call_raw(cluster, &call, err);
    if (r == -ESTALE && *next != NULL)
        return -ESTALE;
    if (r < 0)
        return hf_cluster_explain(cluster, &call, r, err);
    _cleanup_(hf_json_freep) json_t *page = hf_steal(cluster->object);
    const json_t *items = json_object_get(page, "items");
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++)
        r = list->each(list->arg, json_array_get(items, i), err);
    const char *token = hf_json_str_or(page, "metadata.continue", "");
    free(*next);
    *next = token[0] != '\0' ? strdup(token) : NULL;
    return r == 0 && token[0] != '\0' && *next == NULL ? hf_err_set(err, ENOMEM, "out of memory") : r;
}

int hf_cluster_each(struct hf_cluster *cluster, const struct hf_cluster_list *list, struct hf_err *err)
{
    _cleanup_(hf_freep) char *next = NULL;
    unsigned restarts = 0, pages = 0;
    int r;

    do {
        r = take_page(cluster, list, &next, err);
        if (r == -ESTALE && restarts++ < MAX_RESTARTS) {
            free(hf_steal(next));
            list->again(list->arg);
            pages = 0;
            r = 1;
        }
        if (++pages > MAX_PAGES)
            r = hf_err_set(err, E2BIG, "the list of %s has no end", list->plural);
    } while (r > 0 || (r == 0 && next != NULL));
    return r < 0 ? plain_failure(r, err) : 0;
}
