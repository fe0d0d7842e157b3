/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "api/field/text.h"
#include "base/flags/flags.h"
#include "base/parse.h"

static int set_namespace(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return hf_text_is_name(text) ? 0 : -EINVAL;
}

static int set_object_name(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return hf_text_is_object_name(text) ? 0 : -EINVAL;
}

static int set_agent_account(HF_UNUSED void *options, void *field, const char *text)
{
    const char *slash = strchr(text, '/');
    char ns[64];

    *(const char **)field = text;
    if (slash == NULL || slash == text || (size_t)(slash - text) >= sizeof(ns))
        return -EINVAL;
    memcpy(ns, text, (size_t)(slash - text));
    ns[slash - text] = '\0';
    return hf_text_is_name(ns) && hf_text_is_object_name(slash + 1) ? 0 : -EINVAL;
}

static int set_collect_after(HF_UNUSED void *options, void *field, const char *text)
{
    int r = hf_parse_duration(text, field);

    return r == 0 && *(const uint64_t *)field >= HF_NS_PER_S ? 0 : -EINVAL;
}

static int set_help(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_controller_action *)field = HF_CONTROLLER_HELP;
    return 0;
}

static int set_version(HF_UNUSED void *options, void *field, HF_UNUSED const char *text)
{
    *(enum hf_controller_action *)field = HF_CONTROLLER_VERSION;
    return 0;
}

#define AT(field) offsetof(struct hf_controller_options, field)

static const struct hf_flag flags[] = {
    {"server", "URL", "HOLDFAST_SERVER", hf_flag_url, AT(server), "an http:// or https:// URL", "API server"},
    {"kubeconfig", "FILE", "HOLDFAST_KUBECONFIG", hf_flag_text, AT(kubeconfig), "a file",
     "kubeconfig, with its current context; without it and --server: the pod's service account"},
    {"lease-namespace", "NAME", "POD_NAMESPACE", set_namespace, AT(lease_namespace), "a name of a namespace",
     "namespace of the Lease by which replicas agree who leads (holdfast-system)"},
    {"lease-name", "NAME", NULL, set_object_name, AT(lease_name), "a name of an object",
     "name of the Lease (holdfast-controller)"},
    {"identity", "NAME", "POD_NAME", set_object_name, AT(identity), "a lower case RFC 1123 name",
     "name of this replica, which no other one has (the host's name)"},
    {"no-leader-election", NULL, "NO_LEADER_ELECTION", hf_flag_true, AT(no_election), "true or false",
     "lead without a Lease: only while no other controller runs"},
    {"agent-account", "NS/NAME", "AGENT_ACCOUNT", set_agent_account, AT(agent_account),
     "a namespace and a name, such as holdfast-system/holdfast-agent",
     "service account of the agents (holdfast-agent in --lease-namespace)"},
    {"approve-certificates", "SWITCH", "APPROVE_CERTIFICATES", hf_flag_switch, AT(approve_certificates), "on or off",
     "decide on certificate requests of agents on hosts (on)"},
    {"write-labels", "SWITCH", "WRITE_LABELS", hf_flag_switch, AT(write_labels), "on or off",
     "write the labels that agents report (their --labels-by controller) to the Nodes (off)"},
    {"metrics-address", "ADDR", "METRICS_ADDRESS", hf_flag_text, AT(listen[HF_CONTROLLER_METRICS].address),
     "an address", "address of /metrics, /healthz and /readyz (127.0.0.1)"},
    {"metrics-port", "PORT", "METRICS_PORT", hf_flag_port, AT(listen[HF_CONTROLLER_METRICS]), HF_LISTEN_PORT_WANTED,
     "port of --metrics-address; 0: any free one, off: none (9090)"},
    {"health-address", "ADDR", "HEALTH_ADDRESS", hf_flag_text, AT(listen[HF_CONTROLLER_HEALTH].address), "an address",
     "address of a separate server for /healthz and /readyz (that of --metrics-address)"},
    {"health-port", "PORT", "HEALTH_PORT", hf_flag_port, AT(listen[HF_CONTROLLER_HEALTH]), HF_LISTEN_PORT_WANTED,
     "port of --health-address (9092; with --metrics-port 0: any free one)"},
    {"collect-after", "DURATION", "COLLECT_AFTER", set_collect_after, AT(collect_after_ns),
     "a duration of at least 1s, such as 24h", "delete an EdgeNode this long after its Node has gone (24h)"},
    {"log-level", "LEVEL", "LOG_LEVEL", hf_flag_log_level, AT(log_level), "debug, info, warning or error",
     "lowest level to log (info)"},
    {"help", NULL, NULL, set_help, AT(action), NULL, "print this text"},
    {"version", NULL, NULL, set_version, AT(action), NULL, "print the version"},
};

static const struct hf_flag_table table = {.rows = flags, .n = HF_LEN(flags)};

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
