/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast doctor: will an agent work on this host?
 *
 * Gathers facts (facts.h) with as few side effects as possible: it makes no file, opens each port for a moment only if
 * no agent runs, and asks servers that the command line names. A fact that cannot be had is a fact, too. rules.c
 * judges. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/doctor/rules.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/table.h"
#include "cli/node/status_seen.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "config/config.h"
#include "host/facts.h"
#include "node/time_bound.h"
#include "os/clock_posix.h"
#include "os/file.h"
#include "trust/folder.h"
#include "trust/trust.h"

#define CONNECT_NS (5 * HF_NS_PER_S)

const struct hf_cli_option hf_cli_doctor_options[] = {
    HF_CLI_OPTION("reach", "HOST:PORT", "also try to reach this server, such as a registry or an artifact server",
                  .repeats = true),
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("storage-dir", "DIR", "the agent's folder for telemetry (/var/edge/data)"),
    HF_CLI_OPTION("trust-dir", "DIR", "the agent's public keys (" HF_CLI_DEFAULT_TRUST_DIR ")"),
    HF_CLI_OPTION("config", "FILE", "the agent's configuration (/etc/holdfast/agent.yaml)"),
    HF_CLI_JSON("print each finding as JSON"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

/* ---- the machine ------------------------------------------------------------------------------------------------- */

static bool has_openat2(void)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

    if (fd >= 0)
        (void)close((int)fd);
    return fd >= 0;
}

static int try_inotify(void)
{
    int fd = inotify_init1(IN_CLOEXEC);
    int r = fd < 0 || inotify_add_watch(fd, "/", IN_CREATE) < 0 ? -errno : 0;

    if (fd >= 0)
        (void)close(fd);
    return r;
}

static bool selinux_enforces(void)
{
    char mode = '0';
    int fd = open("/sys/fs/selinux/enforce", O_RDONLY | O_CLOEXEC);
    bool read_it = fd >= 0 && read(fd, &mode, 1) == 1;

    if (fd >= 0)
        (void)close(fd);
    return read_it && mode == '1';
}

/* nspawn and LXC mount a file of their own over it, others hide it. */
static enum hf_doctor_boot_id look_at_boot_id(const struct hf_fs_ops *fs)
{
    char boot[HF_FILE_ID];
    struct stat file, folder;

    hf_file_boot_id(fs, boot);
    if (boot[0] == '\0')
        return HF_DOCTOR_BOOT_ID_HIDDEN;
    bool own = fs->fstatat(fs->ctx, AT_FDCWD, "/proc/sys/kernel/random/boot_id", &file, 0) == 0 &&
               fs->fstatat(fs->ctx, AT_FDCWD, "/proc/sys/kernel/random", &folder, 0) == 0 &&
               file.st_dev == folder.st_dev;

    return own ? HF_DOCTOR_BOOT_ID_OWN : HF_DOCTOR_BOOT_ID_FOREIGN;
}

static void look_at_machine(struct hf_cli *cli, struct hf_doctor_facts *facts)
{
    struct utsname name;

    if (uname(&name) == 0)
        (void)snprintf(facts->kernel, sizeof(facts->kernel), "%s", name.release);
    facts->openat2 = has_openat2();
    facts->inotify = try_inotify();
    facts->cgroups =
        access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 || access("/sys/fs/cgroup/memory", F_OK) == 0;
    facts->boot_id = look_at_boot_id(cli->fs);
    facts->systemd = access("/run/systemd/system", F_OK) == 0;
    facts->selinux_enforcing = selinux_enforces();
    facts->memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    facts->root = geteuid() == 0;
    facts->unix_ns = hf_unix_ns(cli->clock);
    facts->build_unix_ns = HF_TIME_BUILD_UNIX_NS;
    facts->clock_synchronized = hf_clock_sync_error_ns(hf_clock_posix()) != HF_NEVER;
}

/* What a pod would find, as far as it can be seen from here: the image and its systemd bus are not looked at. */
static enum hf_hostlife_reason look_at_host_life(struct hf_cli *cli, const char *state_dir, bool systemd)
{
    const struct hf_hostlife_place place = {
        .fs = cli->fs, .state_dir = state_dir, .unit_dir = HF_HOSTLIFE_UNIT_DIR, .image_dir = HF_HOSTLIFE_IMAGE_DIR};
    struct hf_hostlife_facts facts = {.has = hf_hostlife_look_at_host(&place, "") | HF_HOSTLIFE_BUILD};

    if (systemd)
        facts.has |= HF_HOSTLIFE_SYSTEMD;
    return hf_hostlife_plan(HF_HOSTLIFE_AUTO, &facts).reason;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static void look_at_folder(struct hf_doctor_facts *facts, struct hf_doctor_folder folder)
{
    char path[PATH_MAX];
    struct statvfs st;

    if (facts->n_folders == HF_DOCTOR_FOLDERS)
        return;
    (void)snprintf(path, sizeof(path), "%s", folder.path);
    while ((folder.r = statvfs(path, &st) < 0 ? -errno : 0) == -ENOENT && strrchr(path, '/') > path)
        *strrchr(path, '/') = '\0';
    if (folder.r == -ENOENT)
        folder.r = statvfs("/", &st) < 0 ? -errno : 0;
    if (folder.r == 0) {
        folder.read_only = (st.f_flag & ST_RDONLY) != 0;
        folder.noexec = (st.f_flag & ST_NOEXEC) != 0;
        folder.available_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    }
    facts->folders[facts->n_folders++] = folder;
}

static void look_at_folders(const struct hf_cli_args *args, const struct hf_config *config,
                            struct hf_doctor_facts *facts)
{
    static const char *const usual[] = {"/opt", "/usr/local", NULL};
    const char *const *roots = hf_config_update_roots(config);

    look_at_folder(facts, (struct hf_doctor_folder){.path = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR),
                                                    .use = "state",
                                                    .must_write = true});
    look_at_folder(facts, (struct hf_doctor_folder){.path = hf_cli_value(args, "storage-dir", "/var/edge/data"),
                                                    .use = "telemetry"});
    for (roots = roots != NULL && roots[0] != NULL ? roots : usual; *roots != NULL; roots++)
        look_at_folder(facts, (struct hf_doctor_folder){.path = *roots, .use = "releases", .must_exec = true});
}

/* ---- configuration and keys -------------------------------------------------------------------------------------- */

static void look_at_keys(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_doctor_facts *facts)
{
    _cleanup_(hf_buf_done) struct hf_buf problems = HF_BUF_INIT(HF_DOCTOR_TEXT - 1);
    struct hf_err err = HF_ERR_INIT;
    struct hf_trust_ids ids;

    facts->trust_dir = hf_cli_value(args, "trust-dir", HF_CLI_DEFAULT_TRUST_DIR);
    facts->trust = hf_trust_list(cli->fs, facts->trust_dir, &ids, &err);
    facts->n_keys = ids.n;
    if (facts->trust < 0)
        (void)hf_err_text(&err, facts->trust_text, sizeof(facts->trust_text));
    if (facts->trust == 0) {
        hf_trust_folder_inspect(cli->fs, facts->trust_dir, &problems);
        (void)snprintf(facts->trust_text, sizeof(facts->trust_text), "%s", hf_buf_str(&problems));
    }
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

static bool is_taken(unsigned port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
                     sizeof(on)); /* as the agent: closed connections are no hindrance */
    bool taken = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == EADDRINUSE;
    (void)close(fd);
    return taken;
}

static void look_at_ports(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_doctor_facts *facts)
{
    uint64_t since;

    facts->agent_runs =
        hf_cli_see_agent(cli, hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR), &since) == HF_CLI_AGENT_RUNS;
    facts->ports[0].number = 9090;
    facts->ports[0].option = "end the other program, or give the agent another --metrics-port";
    facts->ports[1].number = 9091;
    facts->ports[1].option = "end the other program, or give the agent another --ingest-port";
    for (size_t i = 0; !facts->agent_runs && i < HF_LEN(facts->ports); i++)
        facts->ports[i].taken = is_taken(facts->ports[i].number);
}

/* Connects within the time. Sends nothing. */
static int try_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code = 0;
    socklen_t n = sizeof(code);

    if (fd < 0)
        return -errno;
    int r = connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
    if (r == -EINPROGRESS) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        int found = poll(&ready, 1, (int)(CONNECT_NS / HF_NS_PER_MS));
        r = found == 0 ? -ETIMEDOUT : found < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) < 0 ? -errno : -code;
    }
    (void)close(fd);
    return r;
}

static int try_server(const char *name, struct hf_doctor_reach *reach, struct hf_err *err)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char host[HF_DOCTOR_TEXT], *colon;
    struct addrinfo *found = NULL;

    (void)snprintf(host, sizeof(host), "%s", name);
    colon = strrchr(host, ':');
    if (colon == NULL || colon == host || colon[1] == '\0')
        return hf_err_set(err, EINVAL, "--reach: '%.100s' is not HOST:PORT", name);
    *colon = '\0';
    bool bracketed = host[0] == '[' && colon[-1] == ']';
    if (bracketed)
        colon[-1] = '\0';
    int failed = getaddrinfo(host + bracketed, colon + 1, &hints, &found);
    reach->name = name;
    reach->resolved = failed == 0;
    if (failed != 0)
        (void)snprintf(reach->text, sizeof(reach->text), "%s", gai_strerror(failed));
    reach->r = -EHOSTUNREACH;
    for (const struct addrinfo *address = found; address != NULL && reach->r < 0; address = address->ai_next)
        reach->r = try_address(address);
    if (found != NULL)
        freeaddrinfo(found);
    return 0;
}

static int look_at_servers(const struct hf_cli_args *args, struct hf_doctor_facts *facts, struct hf_err *err)
{
    const char *name;
    int r = 0;

    for (size_t i = 0; r == 0 && (name = hf_cli_nth_value(args, "reach", i)) != NULL; i++) {
        if (i == HF_DOCTOR_REACH)
            return hf_err_set(err, EINVAL, "more than %d times --reach", HF_DOCTOR_REACH);
        r = try_server(name, &facts->reach[facts->n_reach++], err);
    }
    return r;
}

/* The agent's first questions: is the kind there, and may this credential read it? */
static void ask_api(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_doctor_facts *facts)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    const struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_LIST, "edge.codcompass.io/v1alpha1", "syncpolicies", NULL, .limit = 1);
    struct hf_err err = HF_ERR_INIT;

    facts->api_asked = hf_cluster_requested(args);
    if (!facts->api_asked)
        return;
    facts->api = hf_cluster_open(cli, args, &cluster, &err);
    if (facts->api == 0)
        facts->api = hf_cluster_call(cluster, &call, NULL, &err);
    if (facts->api < 0)
        (void)hf_err_text(&err, facts->api_text, sizeof(facts->api_text));
}

static int gather(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_config *config,
                  struct hf_doctor_facts *facts, struct hf_err *err)
{
    int r = look_at_servers(args, facts, err);

    if (r < 0)
        return r;
    look_at_machine(cli, facts);
    facts->host_life =
        look_at_host_life(cli, hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR), facts->systemd);
    look_at_folders(args, config, facts);
    look_at_keys(cli, args, facts);
    look_at_ports(cli, args, facts);
    ask_api(cli, args, facts);
    if (hf_config_n_faults(config) > 0)
        (void)snprintf(facts->config_text, sizeof(facts->config_text), "%s", hf_config_fault(config, 0));
    return 0;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

struct report {
    struct hf_cli *cli;
    bool json;
    json_t *list;
    unsigned n[HF_DOCTOR_FAILED + 1];
};

static void tell(void *arg, const struct hf_doctor_finding *finding)
{
    static const enum hf_tint tints[] = {HF_TINT_GOOD, HF_TINT_BUSY, HF_TINT_BAD};
    struct report *report = arg;
    const char *result = hf_doctor_result_name(finding->result);
    bool colour = report->cli->colour;

    report->n[finding->result]++;
    if (report->json) {
        (void)json_array_append_new(report->list,
                                    json_pack("{s:s, s:s, s:o, s:s}", "check", finding->check, "result", result,
                                              "detail", hf_cli_json_text(finding->detail), "remedy", finding->remedy));
        return;
    }
    (void)fprintf(report->cli->out, "%s%-8s%s", hf_table_tint(tints[finding->result], colour), result,
                  hf_table_untint(tints[finding->result], colour));
    hf_cli_print_line(report->cli->out, "%-11s %s", finding->check, finding->detail);
    if (finding->remedy[0] != '\0')
        hf_cli_print_line(report->cli->out, "%20s-> %s", "", finding->remedy);
}

int hf_cli_doctor(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    _cleanup_(hf_json_freep) json_t *list = json_array();
    struct report report = {.cli = cli, .json = hf_cli_flag(args, "json"), .list = list};
    struct hf_doctor_facts facts = {.n_folders = 0};
    const char *path = hf_cli_value(args, "config", "/etc/holdfast/agent.yaml");
    int r = hf_config_load(cli->fs, path, hf_cli_flag(args, "config"), &config, err);

    if (r == 0)
        r = gather(cli, args, config, &facts, err);
    if (r < 0)
        return r;
    hf_doctor_judge(&facts, tell, &report);
    if (report.json)
        r = hf_cli_print_json(cli, list, err);
    else
        (void)fprintf(cli->out, "failed: %u, warnings: %u, ok: %u\n", report.n[HF_DOCTOR_FAILED],
                      report.n[HF_DOCTOR_WARNING], report.n[HF_DOCTOR_OK]);
    return r < 0 ? r : report.n[HF_DOCTOR_FAILED] > 0 ? HF_EXIT_UNWELL : HF_EXIT_OK;
}
