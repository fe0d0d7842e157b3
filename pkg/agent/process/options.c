/* SPDX-License-Identifier: Apache-2.0 */
/* One table has each flag's name, variable, function, expected form and help; base/flags parses by it and prints it,
 * so help and parser cannot differ. Paths are made absolute while parsing, because what the agent does later must
 * not depend on a working folder. After the flags come the rules about several of them (check_together()): flags
 * that exclude each other, ports that must differ, and the run folder, which only the agent with the default state
 * folder gets by default, so that two agents on a machine do not share it. */
#include "agent/process/options.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/identity/kubelet_identity.h"
#include "api/meta.h"
#include "api/telemetry.h"
#include "base/flags/flags.h"
#include "base/parse.h"
#include "config/config.h"

#define DEFAULT_STATE_DIR "/var/lib/holdfast"
#define MODE_NOT_SET ((mode_t)-1)

/* Appends the components of `text` to path[PATH_MAX]. "..", in a relative path, takes one away. */
static int append_components(char *path, const char *text)
{
    struct hf_view rest = hf_view_of(text), part;
    size_t n = strlen(path);

    while (hf_view_split(&rest, '/', &part)) {
        if (part.n == 0 || hf_view_eq(part, "."))
            continue;
        if (hf_view_eq(part, "..")) {
            char *slash = strrchr(path, '/');
            if (slash != NULL)
                *slash = '\0';
            n = strlen(path);
            continue;
        }
        if (n + part.n + 2 > PATH_MAX)
            return -ENAMETOOLONG;
        n += (size_t)snprintf(path + n, PATH_MAX - n, "/%.*s", (int)part.n, part.p);
    }
    return 0;
}

/* A relative path is one of the working folder at the start: later, the agent depends on no working folder. */
static int make_absolute(const char *text, char path[PATH_MAX])
{
    path[0] = '\0';
    if (text[0] != '/' && getcwd(path, PATH_MAX) == NULL)
        return -errno;
    if (text[0] == '/' && strlen(text) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (strcmp(path, "/") == 0)
        path[0] = '\0';
    if (text[0] != '/')
        return append_components(path, text);
    size_t n = (size_t)snprintf(path, PATH_MAX, "%s", text);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    return 0;
}

static int set_path(void *options, void *field, const char *text)
{
    struct hf_agent_options *o = options;
    const char **place = field;
    char path[PATH_MAX];
    int r = make_absolute(text, path);

    if (r < 0 || strcmp(path, text) == 0) {
        *place = text;
        return r;
    }
    char **owned = reallocarray(o->owned, o->n_owned + 1, sizeof(*owned));
    if (owned == NULL)
        return -ENOMEM;
    o->owned = owned;
    owned[o->n_owned] = strdup(path[0] != '\0' ? path : "/");
    *place = owned[o->n_owned];
    return owned[o->n_owned++] != NULL ? 0 : -ENOMEM;
}

void hf_agent_options_done(struct hf_agent_options *options)
{
    for (size_t i = 0; i < options->n_owned; i++)
        free(options->owned[i]);
    free(options->owned);
    options->owned = NULL;
    options->n_owned = 0;
}

static int set_client_certificate_lifetime(HF_UNUSED void *options, void *field, const char *text)
{
    const uint64_t *ns = field;
    int r = hf_parse_duration(text, field);

    return r == 0 && *ns >= 600 * HF_NS_PER_S && *ns <= 30 * 24 * 3600 * HF_NS_PER_S ? 0 : -EINVAL;
}

static int set_client_key(HF_UNUSED void *options, void *field, const char *text)
{
    *(bool *)field = strcmp(text, "tpm") == 0;
    return *(bool *)field || strcmp(text, "file") == 0 ? 0 : -EINVAL;
}

static int set_kubelet_identity(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return text[0] == '/' || strcmp(text, HF_KUBELET_IDENTITY_AUTO) == 0 || strcmp(text, HF_KUBELET_IDENTITY_OFF) == 0
               ? 0
               : -EINVAL;
}

static int set_api(HF_UNUSED void *options, void *field, const char *text)
{
    static const char *const names[] = {
        [HF_KUBE_AUTO] = "auto", [HF_KUBE_APISERVER] = "apiserver", [HF_KUBE_METASERVER] = "metaserver"};

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *(enum hf_kube_api *)field = (enum hf_kube_api)i;
            return 0;
        }
    return -EINVAL;
}

static int set_node_name(HF_UNUSED void *options, void *field, const char *text)
{
    char name[HF_API_MAX_NAME + 1];
    int r = hf_agent_node_name(text, name, sizeof(name), NULL);

    *(const char **)field = text;
    return r == 0 && strcmp(name, text) == 0 ? 0 : -EINVAL;
}

static int set_root(void *options, HF_UNUSED void *field, const char *text)
{
    struct hf_agent_options *o = options;

    return o->n_roots < HF_OPTIONS_MAX_ROOTS ? set_path(o, &o->roots[o->n_roots++], text) : -EINVAL;
}

static int set_mode(HF_UNUSED void *options, void *field, const char *text)
{
    *(bool *)field = strcmp(text, "pod") == 0;
    return *(bool *)field || strcmp(text, "host") == 0 ? 0 : -EINVAL;
}

static int set_labels_by(HF_UNUSED void *options, void *field, const char *text)
{
    *(bool *)field = strcmp(text, "controller") == 0;
    return *(bool *)field || strcmp(text, "agent") == 0 ? 0 : -EINVAL;
}

/* ---- local servers ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint16_t port;
} listeners[HF_LISTEN_COUNT] = {
    [HF_LISTEN_METRICS] = {"metrics", 9090},
    [HF_LISTEN_INGEST] = {"ingest", 9091},
    [HF_LISTEN_HEALTH] = {"health", 9092},
};

const char *hf_agent_listener_name(enum hf_agent_listener listener)
{
    return listeners[listener].name;
}

static int set_ingest_socket(void *options, void *field, const char *text)
{
    struct hf_agent_options *o = options;

    o->ingest_socket_off = strcmp(text, "off") == 0;
    return o->ingest_socket_off ? 0 : set_path(o, field, text);
}

static int set_ingest_socket_mode(HF_UNUSED void *options, void *field, const char *text)
{
    mode_t *mode = field;
    size_t n = strlen(text);

    *mode = 0;
    for (const char *c = text; *c != '\0'; c++)
        *mode = *mode << 3 | (mode_t)(*c - '0');
    return n >= 3 && n <= 4 && strspn(text, "01234567") == n && (n == 3 || text[0] == '0') ? 0 : -EINVAL;
}

static int set_ingest_socket_group(HF_UNUSED void *options, void *field, const char *text)
{
    struct group group, *found = NULL;
    char bytes[4096];
    uint64_t gid;

    if (hf_parse_u64(text, 0, UINT32_MAX - 1, &gid) == 0) {
        *(gid_t *)field = (gid_t)gid;
        return 0;
    }
    if (getgrnam_r(text, &group, bytes, sizeof(bytes), &found) != 0 || found == NULL)
        return -EINVAL;
    *(gid_t *)field = found->gr_gid;
    return 0;
}

/* A host without a port: the port of a request does not matter. */
static int set_allow_host(void *options, HF_UNUSED void *field, const char *text)
{
    struct hf_agent_options *o = options;

    if (o->n_allowed_hosts == HF_OPTIONS_MAX_HOSTS || strpbrk(text, "/@ ,*") != NULL)
        return -EINVAL;
    o->allowed_hosts[o->n_allowed_hosts++] = text;
    return 0;
}

/* Sets the ports that no flag gives. With a free port for metrics, the others are free ones, too: such an agent runs
 * beside others. */
static int settle_ports(struct hf_agent_options *o, struct hf_err *err)
{
    bool any = o->listen[HF_LISTEN_METRICS].chosen && !o->listen[HF_LISTEN_METRICS].off &&
               o->listen[HF_LISTEN_METRICS].port == 0;

    for (enum hf_agent_listener i = 0; i < HF_LISTEN_COUNT; i++) {
        struct hf_listen_flag *listen = &o->listen[i];
        if (!listen->chosen)
            listen->port = any ? 0 : listeners[i].port;
        for (enum hf_agent_listener k = 0; k < i; k++)
            if (!listen->off && !o->listen[k].off && listen->port != 0 && listen->port == o->listen[k].port &&
                strcmp(listen->address, o->listen[k].address) == 0)
                return hf_err_set(err, EINVAL, "--%s-port and --%s-port are both %u: give each its own",
                                  listeners[k].name, listeners[i].name, listen->port);
    }
    return 0;
}

/* ---- other flags ------------------------------------------------------------------------------------------------- */

static int set_retry_base(HF_UNUSED void *options, void *field, const char *text)
{
    uint64_t ms = 0;
    int r = hf_parse_u64(text, 1, 3600000, &ms);

    *(uint64_t *)field = ms * HF_NS_PER_MS;
    return r;
}

static int set_probation(HF_UNUSED void *options, void *field, const char *text)
{
    uint64_t *ns = field;
    int r = hf_parse_duration(text, ns);

    return r == 0 && (*ns < HF_NS_PER_S || *ns > 2 * 60 * HF_NS_PER_S) ? -ERANGE : r;
}

/* Telemetry leaves this machine over TLS only. */
static int set_cloud_endpoint(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return hf_telemetry_url_ok(text) ? 0 : -EINVAL;
}

static int set_device_key_ref(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return hf_telemetry_ref_ok(text) ? 0 : -EINVAL;
}

static int set_max_retries(HF_UNUSED void *options, void *field, const char *text)
{
    return hf_parse_u64(text, 1, 1000, field);
}

static int set_help(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_options_action *)field = HF_OPTIONS_HELP;
    return 0;
}

static int set_version(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_options_action *)field = HF_OPTIONS_VERSION;
    return 0;
}

static int set_check_config(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_options_action *)field = HF_OPTIONS_CHECK_CONFIG;
    return 0;
}

static int set_check_ready(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_options_action *)field = HF_OPTIONS_CHECK_READY;
    return 0;
}

static int set_first_install(void *options, void *field, const char *text)
{
    struct hf_agent_options *o = options;

    o->action = HF_OPTIONS_FIRST_INSTALL;
    return set_path(o, field, text);
}

static int set_host_life(HF_UNUSED void *options, void *field, const char *text)
{
    return hf_hostlife_parse(text, field);
}

static int set_install_host(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_options_action *)field = HF_OPTIONS_INSTALL_HOST;
    return 0;
}

#define AT(field) offsetof(struct hf_agent_options, field)

static const struct hf_flag flags[] = {
    {"server", "URL", "HOLDFAST_SERVER", hf_flag_url, AT(server), "an http:// or https:// URL",
     "API server, or KubeEdge's MetaServer (http://127.0.0.1:10550)"},
    {"kubeconfig", "FILE", "HOLDFAST_KUBECONFIG", hf_flag_text, AT(kubeconfig), "a file",
     "kubeconfig, with its current context; without it and --server: the pod's service account"},
    {"status-kubeconfig", "FILE", "HOLDFAST_STATUS_KUBECONFIG", hf_flag_text, AT(status_kubeconfig), "a file",
     "write status and labels to this file's cluster (for a node that reads from a MetaServer)"},
    {"client-certificate-dir", "DIR", "HOLDFAST_CLIENT_CERTIFICATE_DIR", set_path, AT(identity.dir), "a folder",
     "get a client certificate from the cluster, keep it here, and use it (off)"},
    {"client-certificate-lifetime", "DURATION", "HOLDFAST_CLIENT_CERTIFICATE_LIFETIME", set_client_certificate_lifetime,
     AT(identity.lifetime_ns), "a duration of 10m to 720h",
     "lifetime to ask for; the agent renews at about two thirds of it (720h)"},
    {"client-key", "PLACE", "HOLDFAST_CLIENT_KEY", set_client_key, AT(identity.key_in_tpm), "file or tpm",
     "where the certificate's key is: a file, or this node's TPM 2, which it never leaves (file)"},
    {"kubelet-identity", "FILE", "HOLDFAST_KUBELET_IDENTITY", set_kubelet_identity, AT(identity.kubelet),
     "auto, off, or the absolute path of a certificate",
     "certificate of this node's kubelet, with which to ask if no own credential is left (auto: where K3s, RKE2, k0s "
     "and kubeadm have it)"},
    {"source", "DIR", "HOLDFAST_SOURCE", hf_flag_text, AT(source), "a folder",
     "read objects as YAML from this folder; write the status to <state>/status"},
    {"export", "DIR", "HOLDFAST_EXPORT", set_path, AT(export_dir), "a folder",
     "write telemetry and the status into this folder of a medium, instead of sending telemetry; not made (off)"},
    {"api", "KIND", "HOLDFAST_API", set_api, AT(api), "auto, apiserver or metaserver",
     "kind of --server (auto: detect it)"},
    {"node-name", "NAME", "NODE_NAME", set_node_name, AT(node_name), "a lower case RFC 1123 name",
     "name of this node (the host's name)"},
    {"state-dir", "DIR", "HOLDFAST_STATE_DIR", set_path, AT(state_dir), "a folder", "state folder (/var/lib/holdfast)"},
    {"run-dir", "DIR", "HOLDFAST_RUN_DIR", set_path, AT(run_dir), "a folder",
     "also keep the status here, in memory, for `holdfast status` (/run/holdfast; with another --state-dir: off)"},
    {"trust-dir", "DIR", "HOLDFAST_TRUST_DIR", set_path, AT(trust_dir), "a folder",
     "public keys that may sign releases (/etc/holdfast/trust.d)"},
    {"update-root", "DIR", NULL, set_root, AT(roots), "a folder, at most seven times",
     "allow releases below this folder; repeatable (updateRoots of --config)"},
    {"config", "FILE", "HOLDFAST_CONFIG", set_path, AT(config), "a file",
     "what the cluster may ask of this node (/etc/holdfast/agent.yaml)"},
    {"check-config", NULL, NULL, set_check_config, AT(action), NULL,
     "check the file of --config, print what holds, and exit (0: no fault)"},
    {"check-ready", NULL, NULL, set_check_ready, AT(action), NULL,
     "ask the agent that runs here (--health-port) whether it is ready, and exit (0: ready)"},
    {"first-install", "DIR", NULL, set_first_install, AT(first_install), "a folder",
     "if --trust-dir does not exist: make it from the keys in DIR, and --config from its agent.yaml, and exit"},
    {"mode", "MODE", "HOLDFAST_MODE", set_mode, AT(pod_mode), "host or pod",
     "host: run as a service; pod: run in a container of this node"},
    {"labels-by", "WHO", "HOLDFAST_LABELS_BY", set_labels_by, AT(labels_by_controller), "agent or controller",
     "who writes the Node's labels; controller: only report them, for --write-labels of holdfast-controller (agent)"},
    {"host-root", "DIR", "HOLDFAST_HOST_ROOT", set_path, AT(host.root), "a folder",
     "pod mode: mount point of the host's file system (/)"},
    {"host-life", "WHERE", "HOLDFAST_HOST_LIFE", set_host_life, AT(host.life), "off, auto, host or pod",
     "pod mode: where the agent lives; auto: on the host where that works, and this pod watches (off)"},
    {"host-paths", "DIRS", "HOLDFAST_HOST_PATHS", hf_flag_text, AT(host.paths), "folders between colons",
     "where an agent that --install-host installs may write (/opt:/usr/local:/var/edge/data)"},
    {"install-host", NULL, NULL, set_install_host, AT(action), NULL,
     "install the agent on the host, or remove it, as --host-life says, and exit"},
    {"metrics-address", "ADDR", "METRICS_ADDRESS", hf_flag_text, AT(listen[HF_LISTEN_METRICS].address), "an address",
     "address of /metrics, /healthz and /readyz (127.0.0.1)"},
    {"metrics-port", "PORT", "METRICS_PORT", hf_flag_port, AT(listen[HF_LISTEN_METRICS]), HF_LISTEN_PORT_WANTED,
     "port of --metrics-address; 0: any free one, off: none (9090)"},
    {"ingest-address", "ADDR", "INGEST_ADDRESS", hf_flag_text, AT(listen[HF_LISTEN_INGEST].address), "an address",
     "address of POST /ingest (127.0.0.1)"},
    {"ingest-port", "PORT", "INGEST_PORT", hf_flag_port, AT(listen[HF_LISTEN_INGEST]), HF_LISTEN_PORT_WANTED,
     "port of --ingest-address (9091; with --metrics-port 0: any free one)"},
    {"ingest-socket", "PATH", "INGEST_SOCKET", set_ingest_socket, AT(ingest_socket), "a path, or off",
     "Unix socket of POST /ingest (ingest.sock in the run folder)"},
    {"ingest-socket-mode", "MODE", "INGEST_SOCKET_MODE", set_ingest_socket_mode, AT(ingest_socket_access.mode),
     "an octal mode such as 0660", "mode of --ingest-socket (0666; with a group 0660)"},
    {"ingest-socket-group", "GROUP", "INGEST_SOCKET_GROUP", set_ingest_socket_group, AT(ingest_socket_access.gid),
     "a group of this machine", "group of --ingest-socket, a name or a number"},
    {"health-address", "ADDR", "HEALTH_ADDRESS", hf_flag_text, AT(listen[HF_LISTEN_HEALTH].address), "an address",
     "address of a separate server for /healthz and /readyz (127.0.0.1)"},
    {"health-port", "PORT", "HEALTH_PORT", hf_flag_port, AT(listen[HF_LISTEN_HEALTH]), HF_LISTEN_PORT_WANTED,
     "port of --health-address (9092; with --metrics-port 0: any free one)"},
    {"allow-host", "HOST", "HOLDFAST_ALLOW_HOST", set_allow_host, AT(allowed_hosts),
     "a host without scheme and port, at most seven times",
     "answer requests for this host over loopback, and those of its web pages; repeatable (none)"},
    {"listen-optional", NULL, "LISTEN_OPTIONAL", hf_flag_true, AT(listen_optional), "true or false",
     "if a port is taken, warn, start without it and retry, instead of failing"},
    {"log-level", "LEVEL", "LOG_LEVEL", hf_flag_log_level, AT(log_level), "debug, info, warning or error",
     "lowest level to log (info)"},
    {"retry-base-ms", "MS", "SYNC_RETRY_BASE_MS", set_retry_base, AT(retry_base_ns), "1 to 3600000",
     "first retry delay of an update, and, as 10 to 600000, of a telemetry batch without a SyncPolicy (1000)"},
    {"probation", "DURATION", NULL, set_probation, AT(probation_ns), "a duration from 1s to 2m",
     "be healthy for so long before holdfast-supervisor hears it (60s)"},
    {"storage-dir", "DIR", "EDGE_STORAGE_DIR", set_path, AT(storage_dir), "a folder",
     "spool folder of telemetry (/var/edge/data)"},
    {"cloud-endpoint", "URL", "CLOUD_ENDPOINT", set_cloud_endpoint, AT(cloud_endpoint),
     "an https:// URL, or http:// on this machine",
     "send payloads posted to /ingest here while no SyncPolicy has a telemetry part"},
    {"device-key-ref", "REF", "DEVICE_KEY_REF", set_device_key_ref, AT(device_key_ref), "file:/path or env:NAME",
     "key for X-Device-Key, sent to sinks of format seed"},
    {"max-retries", "N", "SYNC_MAX_RETRIES", set_max_retries, AT(max_retries), "1 to 1000",
     "attempts before the agent defers a telemetry batch, without a SyncPolicy; at most 100 count (3)"},
    {"once", NULL, NULL, hf_flag_true, AT(once), NULL,
     "stop when every release is settled; exit 0 if all are installed"},
    {"help", NULL, NULL, set_help, AT(action), NULL, "print this text"},
    {"version", NULL, NULL, set_version, AT(action), NULL, "print the version"},
};

static const struct hf_flag_table table = {.rows = flags, .n = HF_LEN(flags)};

static int check_together(struct hf_agent_options *o, struct hf_err *err)
{
    if (o->source != NULL && (o->server != NULL || o->kubeconfig != NULL))
        return hf_err_set(err, EINVAL, "--source excludes --server and --kubeconfig: give one of them");
    if (o->server != NULL && o->kubeconfig != NULL)
        return hf_err_set(err, EINVAL, "--server and --kubeconfig exclude each other: give one of them");
    if (o->source != NULL && o->status_kubeconfig != NULL)
        return hf_err_set(
            err, EINVAL,
            "--status-kubeconfig excludes --source: with --source, the agent writes the status to the disk");
    if (o->source != NULL && o->identity.dir != NULL)
        return hf_err_set(err, EINVAL,
                          "--client-certificate-dir excludes --source: a folder of objects issues no certificates");
    /* Other agents on this machine have state folders of their own, and must not share the run folder. */
    if (o->run_dir == NULL && strcmp(o->state_dir, DEFAULT_STATE_DIR) == 0)
        o->run_dir = "/run/holdfast";
    return settle_ports(o, err);
}

int hf_agent_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                           struct hf_agent_options *ret_options, struct hf_err *err)
{
    struct hf_agent_options options = {
        .state_dir = DEFAULT_STATE_DIR,
        .identity.kubelet = HF_KUBELET_IDENTITY_AUTO,
        .trust_dir = "/etc/holdfast/trust.d",
        .listen = {{.address = "127.0.0.1"}, {.address = "127.0.0.1"}, {.address = "127.0.0.1"}},
        .log_level = HF_LOG_INFO,
        .retry_base_ns = HF_NS_PER_S,
        .probation_ns = 60 * HF_NS_PER_S,
        .storage_dir = "/var/edge/data",
        .max_retries = 3,
        .ingest_socket_access.gid = (gid_t)-1,
        .ingest_socket_access.mode = MODE_NOT_SET,
    };
    int r = hf_flags_parse(&table, argc, argv, getenv_fn, &options, err);

    options.run_dir_given = options.run_dir != NULL;
    options.config_given = options.config != NULL;
    if (!options.config_given)
        options.config = HF_CONFIG_FILE;
    if (r == 0 && (options.action == HF_OPTIONS_RUN || options.action == HF_OPTIONS_CHECK_READY))
        r = check_together(&options, err);
    if (options.ingest_socket_access.mode == MODE_NOT_SET)
        options.ingest_socket_access.mode = options.ingest_socket_access.gid != (gid_t)-1 ? 0660 : 0666;
    if (r == 0)
        *ret_options = options;
    else
        hf_agent_options_done(&options);
    return r;
}

bool hf_agent_options_variable(size_t i, const char **ret_name)
{
    *ret_name = i < table.n ? flags[i].env : NULL;
    return i < table.n;
}

int hf_agent_options_help(struct hf_buf *out)
{
    int r = hf_buf_add_str(out, "holdfast-agent: keeps this node at its declared state\n\n"
                                "usage: holdfast-agent [--source DIR | --server URL | --kubeconfig FILE] [flags]\n\n");

    if (r == 0)
        r = hf_flags_help(&table, out);
    return r < 0
               ? r
               : hf_buf_add_str(out, "\nA variable in [brackets] sets its flag; the flag wins.\n"
                                     "exit: 0 stopped as requested, 1 failed (--once: not all installed, or --source "
                                     "cannot be read), 2 wrong usage, "
                                     "3 another agent has the state folder\n"
                                     "signals: SIGTERM and SIGINT stop; SIGHUP reads credentials and --config again\n");
}

int hf_agent_node_name(const char *host_name, char *name, size_t n, struct hf_err *err)
{
    size_t length = strlen(host_name);

    if (length == 0 || length >= n || length > HF_API_MAX_NAME)
        return hf_err_set(err, EINVAL, "node name '%.80s': expected 1 to %d characters", host_name, HF_API_MAX_NAME);
    for (size_t i = 0; i <= length; i++) {
        char c = host_name[i];
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
        bool inside = i > 0 && i + 1 < length && (c == '-' || c == '.');
        if (i < length && !letter && !inside)
            return hf_err_set(err, EINVAL, "node name '%.80s': expected letters, digits, '-' and '.'", host_name);
    }
    return 0;
}
