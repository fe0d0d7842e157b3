/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/options.h"

#include <errno.h>
#include <string.h>

#include "api/field/text.h"
#include "base/flags/flags.h"
#include "base/parse.h"

typedef int set_fn(struct hf_controller_options *options, const char *text);

static int set_server(struct hf_controller_options *o, const char *text)
{
    o->server = text;
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ? 0 : -EINVAL;
}

static int set_kubeconfig(struct hf_controller_options *o, const char *text)
{
    o->kubeconfig = text;
    return 0;
}

static int set_lease_namespace(struct hf_controller_options *o, const char *text)
{
    o->lease_namespace = text;
    return hf_text_is_name(text) ? 0 : -EINVAL;
}

static int set_lease_name(struct hf_controller_options *o, const char *text)
{
    o->lease_name = text;
    return hf_text_is_object_name(text) ? 0 : -EINVAL;
}

static int set_identity(struct hf_controller_options *o, const char *text)
{
    o->identity = text;
    return hf_text_is_object_name(text) ? 0 : -EINVAL;
}

static int set_no_election(struct hf_controller_options *o, const char *text)
{
    o->no_election = text == NULL || strcmp(text, "true") == 0;
    return o->no_election || strcmp(text, "false") == 0 ? 0 : -EINVAL;
}

static int set_agent_account(struct hf_controller_options *o, const char *text)
{
    const char *slash = strchr(text, '/');
    char ns[64];

    o->agent_account = text;
    if (slash == NULL || slash == text || (size_t)(slash - text) >= sizeof(ns))
        return -EINVAL;
    memcpy(ns, text, (size_t)(slash - text));
    ns[slash - text] = '\0';
    return hf_text_is_name(ns) && hf_text_is_object_name(slash + 1) ? 0 : -EINVAL;
}

static int set_approve_certificates(struct hf_controller_options *o, const char *text)
{
    o->approve_certificates = strcmp(text, "on") == 0;
    return o->approve_certificates || strcmp(text, "off") == 0 ? 0 : -EINVAL;
}

static int set_write_labels(struct hf_controller_options *o, const char *text)
{
    o->write_labels = strcmp(text, "on") == 0;
    return o->write_labels || strcmp(text, "off") == 0 ? 0 : -EINVAL;
}

static int set_metrics_address(struct hf_controller_options *o, const char *text)
{
    o->listen[HF_CONTROLLER_METRICS].address = text;
    return 0;
}

static int set_metrics_port(struct hf_controller_options *o, const char *text)
{
    return hf_listen_flag_port(&o->listen[HF_CONTROLLER_METRICS], text);
}

static int set_health_address(struct hf_controller_options *o, const char *text)
{
    o->listen[HF_CONTROLLER_HEALTH].address = text;
    return 0;
}

static int set_health_port(struct hf_controller_options *o, const char *text)
{
    return hf_listen_flag_port(&o->listen[HF_CONTROLLER_HEALTH], text);
}

static int set_collect_after(struct hf_controller_options *o, const char *text)
{
    int r = hf_parse_duration(text, &o->collect_after_ns);

    return r == 0 && o->collect_after_ns >= HF_NS_PER_S ? 0 : -EINVAL;
}

static int set_log_level(struct hf_controller_options *o, const char *text)
{
    return hf_log_level_parse(text, &o->log_level);
}

static int set_help(struct hf_controller_options *o, const char *text)
{
    (void)text;
    o->action = HF_CONTROLLER_HELP;
    return 0;
}

static int set_version(struct hf_controller_options *o, const char *text)
{
    (void)text;
    o->action = HF_CONTROLLER_VERSION;
    return 0;
}

static const struct hf_flag flags[] = {
    {"server", "URL", "HOLDFAST_SERVER", "an http:// or https:// URL", "API server"},
    {"kubeconfig", "FILE", "HOLDFAST_KUBECONFIG", "a file",
     "kubeconfig, with its current context; without it and --server: the pod's service account"},
    {"lease-namespace", "NAME", "POD_NAMESPACE", "a name of a namespace",
     "namespace of the Lease by which replicas agree who leads (holdfast-system)"},
    {"lease-name", "NAME", NULL, "a name of an object", "name of the Lease (holdfast-controller)"},
    {"identity", "NAME", "POD_NAME", "a lower case RFC 1123 name",
     "name of this replica, which no other one has (the host's name)"},
    {"no-leader-election", NULL, "NO_LEADER_ELECTION", "true or false",
     "lead without a Lease: only while no other controller runs"},
    {"agent-account", "NS/NAME", "AGENT_ACCOUNT", "a namespace and a name, such as holdfast-system/holdfast-agent",
     "service account of the agents (holdfast-agent in --lease-namespace)"},
    {"approve-certificates", "SWITCH", "APPROVE_CERTIFICATES", "on or off",
     "decide on certificate requests of agents on hosts (on)"},
    {"write-labels", "SWITCH", "WRITE_LABELS", "on or off",
     "write the labels that agents report (their --labels-by controller) to the Nodes (off)"},
    {"metrics-address", "ADDR", "METRICS_ADDRESS", "an address",
     "address of /metrics, /healthz and /readyz (127.0.0.1)"},
    {"metrics-port", "PORT", "METRICS_PORT", HF_LISTEN_PORT_WANTED,
     "port of --metrics-address; 0: any free one, off: none (9090)"},
    {"health-address", "ADDR", "HEALTH_ADDRESS", "an address",
     "address of a separate server for /healthz and /readyz (that of --metrics-address)"},
    {"health-port", "PORT", "HEALTH_PORT", HF_LISTEN_PORT_WANTED,
     "port of --health-address (9092; with --metrics-port 0: any free one)"},
    {"collect-after", "DURATION", "COLLECT_AFTER", "a duration of at least 1s, such as 24h",
     "delete an EdgeNode this long after its Node has gone (24h)"},
    {"log-level", "LEVEL", "LOG_LEVEL", "debug, info, warning or error", "lowest level to log (info)"},
    {"help", NULL, NULL, NULL, "print this text"},
    {"version", NULL, NULL, NULL, "print the version"},
};

/* In the order of `flags`. */
static set_fn *const setters[] = {
    set_server,       set_kubeconfig,     set_lease_namespace,      set_lease_name,    set_identity,
    set_no_election,  set_agent_account,  set_approve_certificates, set_write_labels,  set_metrics_address,
    set_metrics_port, set_health_address, set_health_port,          set_collect_after, set_log_level,
    set_help,         set_version,
};
_Static_assert(HF_LEN(setters) == HF_LEN(flags), "each flag has a setter");

static int set_row(void *options, size_t i, const char *text)
{
    return setters[i](options, text);
}

static const struct hf_flag_table table = {.rows = flags, .n = HF_LEN(flags), .set = set_row};

static int check_together(struct hf_controller_options *o, struct hf_err *err)
{
    struct hf_listen_flag *metrics = &o->listen[HF_CONTROLLER_METRICS], *health = &o->listen[HF_CONTROLLER_HEALTH];

    if (o->server != NULL && o->kubeconfig != NULL)
        return hf_err_set(err, EINVAL, "--server and --kubeconfig exclude each other: give one of them");
    if (health->address == NULL)
        health->address = metrics->address;
    if (!health->chosen)
        health->port = metrics->chosen && !metrics->off && metrics->port == 0 ? 0 : 9092;
    if (!metrics->chosen)
        metrics->port = 9090;
    if (!metrics->off && !health->off && metrics->port != 0 && metrics->port == health->port &&
        strcmp(metrics->address, health->address) == 0)
        return hf_err_set(err, EINVAL, "--metrics-port and --health-port are both %u: give each its own",
                          metrics->port);
    return 0;
}

int hf_controller_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                struct hf_controller_options *ret_options, struct hf_err *err)
{
    struct hf_controller_options options = {
        .lease_namespace = "holdfast-system",
        .lease_name = "holdfast-controller",
        .approve_certificates = true,
        .listen = {{.address = "127.0.0.1"}},
        .collect_after_ns = 24 * 3600 * HF_NS_PER_S,
        .log_level = HF_LOG_INFO,
    };
    int r = hf_flags_parse(&table, argc, argv, getenv_fn, &options, err);

    if (r == 0 && options.action == HF_CONTROLLER_RUN)
        r = check_together(&options, err);
    if (r == 0)
        *ret_options = options;
    return r;
}

int hf_controller_options_help(struct hf_buf *out)
{
    int r = hf_buf_add_str(out, "holdfast-controller: spreads releases over the fleet as fast as their own success "
                                "allows\n\nusage: holdfast-controller [--server URL | --kubeconfig FILE] [flags]\n\n");

    if (r == 0)
        r = hf_flags_help(&table, out);
    return r < 0 ? r
                 : hf_buf_add_str(out, "\nA variable in [brackets] sets its flag; the flag wins.\n"
                                       "exit: 0 stopped as requested, 1 failed, 2 wrong usage\n"
                                       "signals: SIGTERM and SIGINT release the Lease and stop; SIGHUP reads "
                                       "credentials again\n");
}
