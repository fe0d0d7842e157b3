/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: each fact of a host that keeps an agent from its work is a finding with a remedy, and none else is. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/doctor/rules.h"
#include "codec/json.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define GIB (1ull << 30)

/* ---- the rules --------------------------------------------------------------------------------------------------- */

static struct hf_doctor_facts well(void)
{
    struct hf_doctor_facts facts = {.kernel = "6.1.0",
                                    .openat2 = true,
                                    .systemd = true,
                                    .cgroups = true,
                                    .memory_bytes = GIB,
                                    .root = true,
                                    .unix_ns = 1795161600ull * HF_NS_PER_S,
                                    .build_unix_ns = 1793491200ull * HF_NS_PER_S,
                                    .clock_synchronized = true,
                                    .trust_dir = "/etc/holdfast/trust.d",
                                    .n_keys = 1,
                                    .n_folders = 2,
                                    .api_asked = true,
                                    .n_reach = 1};

    facts.folders[0] =
        (struct hf_doctor_folder){.path = "/s", .use = "state", .must_write = true, .available_bytes = GIB};
    facts.folders[1] =
        (struct hf_doctor_folder){.path = "/opt", .use = "releases", .must_exec = true, .available_bytes = GIB};
    facts.ports[0].number = 9090;
    facts.ports[1].number = 9091;
    facts.reach[0] = (struct hf_doctor_reach){.name = "a.example.com:443", .resolved = true};
    return facts;
}

static struct hf_doctor_finding found[32];
static size_t n_found, n_bad;

static void keep(void *arg, const struct hf_doctor_finding *finding)
{
    (void)arg;
    ck_assert_uint_lt(n_found, HF_LEN(found));
    found[n_found++] = *finding;
    ck_assert_msg((finding->result == HF_DOCTOR_OK) == (finding->remedy[0] == '\0'), "%s: %s", finding->check,
                  finding->remedy);
    n_bad += finding->result != HF_DOCTOR_OK;
}

static void judge(const struct hf_doctor_facts *facts)
{
    n_found = n_bad = 0;
    hf_doctor_judge(facts, keep, NULL);
}

/* The one finding that is not ok. */
static void expect(const struct hf_doctor_facts *facts, enum hf_doctor_result result, const char *check,
                   const char *part)
{
    judge(facts);
    ck_assert_uint_eq(n_bad, 1);
    for (size_t i = 0; i < n_found; i++) {
        if (found[i].result == HF_DOCTOR_OK)
            continue;
        ck_assert_str_eq(found[i].check, check);
        ck_assert_int_eq(found[i].result, result);
        ck_assert_msg(strstr(found[i].detail, part) != NULL, "'%s' is not in '%s'", part, found[i].detail);
    }
}

#define EXPECT(change, result, check, part)                                                                            \
    do {                                                                                                               \
        struct hf_doctor_facts facts = well();                                                                         \
        facts.change;                                                                                                  \
        expect(&facts, HF_DOCTOR_##result, check, part);                                                               \
    } while (0)

START_TEST(a_good_host_has_no_finding)
{
    const struct hf_doctor_facts facts = well();

    judge(&facts);
    ck_assert_uint_eq(n_bad, 0);
    ck_assert_uint_ge(n_found, 9);
}
END_TEST

START_TEST(each_fact_is_one_finding)
{
    EXPECT(root = false, WARNING, "user", "not root");
    EXPECT(openat2 = false, FAILED, "kernel", "KernelTooOld");
    EXPECT(inotify = -EMFILE, WARNING, "inotify", "Too many open files");
    EXPECT(cgroups = false, WARNING, "cgroups", "memory of pods");
    EXPECT(boot_id = HF_DOCTOR_BOOT_ID_HIDDEN, WARNING, "boots", "probationBoots judges nothing");
    EXPECT(boot_id = HF_DOCTOR_BOOT_ID_FOREIGN, WARNING, "boots", "judges no boot of the machine");
    EXPECT(memory_bytes = 255ull << 20, WARNING, "memory", "255 MiB");
    EXPECT(host_life = HF_HOSTLIFE_R_NO_EXEC, WARNING, "host mode", "mounted noexec");
    EXPECT(systemd = false, WARNING, "systemd", "SystemdUnavailable");
    EXPECT(selinux_enforcing = true, WARNING, "SELinux", "enforcing");
    EXPECT(unix_ns = 0, FAILED, "clock", "1970-01-01T00:00:00Z is before this program was built");
    EXPECT(clock_synchronized = false, WARNING, "clock", "ClockUnsure");
    EXPECT(folders[0].r = -EACCES, FAILED, "folder", "/s (state): Permission denied");
    EXPECT(folders[1].r = -EACCES, WARNING, "folder", "/opt (releases): Permission denied");
    EXPECT(folders[0].read_only = true, FAILED, "folder", "/s (state) is on a read-only file system");
    EXPECT(folders[1].read_only = true, WARNING, "folder", "/opt (releases) is on a read-only file system");
    EXPECT(folders[1].noexec = true, WARNING, "folder", "mounted noexec");
    EXPECT(folders[1].available_bytes = 63ull << 20, WARNING, "folder", "63 MiB free");
    EXPECT(n_keys = 0, FAILED, "keys", "NoTrustedKeys");
    EXPECT(trust = -EPERM, FAILED, "keys", "");
    EXPECT(trust_text[0] = 'x', WARNING, "keys", "/etc/holdfast/trust.d: x");
    EXPECT(config_text[0] = 'x', FAILED, "agent.yaml", "x");
    EXPECT(ports[1].taken = (facts.ports[1].option = "o", true), FAILED, "port", "9091");
    EXPECT(api = -EACCES, FAILED, "API server", "");
    EXPECT(reach[0].resolved = false, FAILED, "server", "a.example.com:443");
    EXPECT(reach[0].r = -ECONNREFUSED, FAILED, "server", "Connection refused");
}
END_TEST

/* What nothing depends on is no finding: the state folder may be noexec, and its keys tell a missing trust folder. */
START_TEST(other_facts_are_none)
{
    struct hf_doctor_facts facts = well();

    facts.folders[0].noexec = true;
    facts.api_asked = false;
    facts.api = -EACCES;
    judge(&facts);
    ck_assert_uint_eq(n_bad, 0);
    facts.trust = -ENOENT;
    facts.n_keys = 0;
    expect(&facts, HF_DOCTOR_FAILED, "keys", "has no key");
}
END_TEST

/* ---- the command ------------------------------------------------------------------------------------------------- */

static struct cli_run run;

static int doctor(const char *option, const char *value)
{
    return cli(&run, "doctor", "--state-dir", "%", "--storage-dir", "%/spool", "--trust-dir", "%/trust.d", option,
               value, NULL);
}

static void said(const char *text)
{
    ck_assert_msg(strstr(run.out, text) != NULL, "'%s' is not in: %s%s", text, run.out, run.err);
}

START_TEST(of_this_machine)
{
    cli_begin(&run);
    ck_assert_int_eq(doctor(NULL, NULL), HF_EXIT_UNWELL);
    said("ok      kernel      Linux ");
    said("/trust.d has no key: every release is refused (NoTrustedKeys)\n                    -> sudo install");
    said("/spool (telemetry), ");
    ck_assert_int_eq(mkdir(cli_path(&run, "trust.d"), 0755), 0);
    ck_assert_int_eq(cli(&run, "key", "generate", "%/k", NULL), 0);
    ck_assert_int_eq(rename(cli_path(&run, "k.pem"), cli_path(&run, "trust.d/k.pem")), 0);
    (void)doctor("--json", NULL);
    _cleanup_(hf_json_freep) json_t *list = NULL;
    struct hf_err err = HF_ERR_INIT;
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &list, &err), 0);
    size_t keys = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *finding = json_array_get(list, i);
        bool is_keys = strcmp(hf_json_str_or(finding, "check", ""), "keys") == 0;
        keys += is_keys && strcmp(hf_json_str_or(finding, "result", ""), "ok") == 0;
    }
    ck_assert_uint_eq(keys, 1);
    cli_page_knows_json(&run, "doctor");
    cli_write_text(&run, "agent.yaml",
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nupdateRoot: [/opt]\n");
    ck_assert_int_eq(doctor("--config", "%/agent.yaml"), HF_EXIT_UNWELL);
    said("FAILED  agent.yaml  ");
    cli_end(&run);
}
END_TEST

/* As nspawn and LXC mount a file of their own over the kernel's, and others an empty one. */
START_TEST(of_a_container)
{
    const char *id = "/proc/sys/kernel/random/boot_id";

    cli_begin(&run);
    cli_write_text(&run, "own", "00000000000000000000000000000001\n");
    cli_write_text(&run, "none", "");
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(cli_path(&run, "own"), id, NULL, MS_BIND, NULL) < 0) {
        (void)printf("SKIP: no mount namespace to be had: %s\n", strerror(errno));
        cli_end(&run);
        return;
    }
    (void)doctor(NULL, NULL);
    said("warning boots       the boot id is a container's, not the machine's: ");
    ck_assert_int_eq(umount(id), 0);
    ck_assert_int_eq(mount(cli_path(&run, "none"), id, NULL, MS_BIND, NULL), 0);
    (void)doctor(NULL, NULL);
    said("warning boots       the boot id is hidden: ");
    ck_assert_int_eq(umount(id), 0);
    cli_end(&run);
}
END_TEST

START_TEST(of_servers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char name[40], wanted[80];

    cli_begin(&run);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    (void)snprintf(name, sizeof(name), "127.0.0.1:%u", ntohs(address.sin_port));
    (void)snprintf(wanted, sizeof(wanted), "FAILED  server      %s: Connection refused", name);
    ck_assert_int_eq(doctor("--reach", name), HF_EXIT_UNWELL);
    said(wanted);
    ck_assert_int_eq(listen(fd, 1), 0);
    (void)snprintf(wanted, sizeof(wanted), "ok      server      %s is in reach", name);
    (void)doctor("--reach", name);
    said(wanted);
    (void)close(fd);
    ck_assert_int_eq(doctor("--reach", "no-such-host.invalid:443"), HF_EXIT_UNWELL);
    said("FAILED  server      no-such-host.invalid:443: ");
    ck_assert_int_eq(doctor("--server", "http://127.0.0.1:1"), HF_EXIT_UNWELL);
    said("FAILED  API server  ");
    ck_assert_int_eq(doctor("--reach", "host"), HF_EXIT_USAGE);
    cli_end(&run);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_good_host_has_no_finding);
    tcase_add_test(tc, each_fact_is_one_finding);
    tcase_add_test(tc, other_facts_are_none);
    tcase_add_test(tc, of_this_machine);
    tcase_add_test(tc, of_a_container);
    tcase_add_test(tc, of_servers);
}

HF_TEST_MAIN("cli/doctor", cases)
