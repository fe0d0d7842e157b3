/* SPDX-License-Identifier: Apache-2.0 */
/* support: a bundle has every section, also on a machine where little works, and none of the secrets planted there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define SECRET "planted"

static struct cli_run run;

static void program(const char *name, const char *script)
{
    _cleanup_(hf_freep) char *text = hf_asprintf("#!/bin/sh\n%s\n", script);
    _cleanup_(hf_freep) char *path = hf_asprintf("bin/%s", name);

    cli_write_text(&run, path, text);
    ck_assert_int_eq(chmod(cli_path(&run, path), 0755), 0);
}

/* The programs are those of the folder "bin", and ls. */
static void setup(void)
{
    cli_begin(&run);
    ck_assert_int_eq(mkdir(cli_path(&run, "bin"), 0755), 0);
    program("ls", "echo \"$@\"");
    ck_assert_int_eq(setenv("PATH", cli_path(&run, "bin"), 1), 0);
}

static void teardown(void)
{
    cli_end(&run);
}

static int node_bundle(void)
{
    return cli(&run, "support", "--out", "%/bundle", "--state-dir", "%", "--run-dir", "%", "--config", "%/agent.yaml",
               NULL);
}

static void expect(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in: %s", part, text);
}

START_TEST(of_a_machine_where_nothing_works)
{
    struct stat st;
    size_t n;

    ck_assert_int_eq(setenv("PATH", "/nowhere", 1), 0);
    ck_assert_int_eq(node_bundle(), HF_EXIT_OK);
    expect(run.out, "read it before you send it; what could not be gathered is named in it");
    ck_assert_int_eq(stat(cli_path(&run, "bundle"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    _cleanup_(hf_freep) char *text = cli_read(&run, "bundle", &n);
    expect(text, "==== status\n");
    expect(text, "has no status: does an agent run with this --state-dir?");
    expect(text, "==== log of the unit\n(not gathered: journalctl: No such file or directory)\n");
    expect(text, "agent.yaml: No such file or directory)\n");
    expect(text, "==== memory\nMemTotal:");
    expect(text, "==== operating system\n");
}
END_TEST

START_TEST(has_no_planted_secret)
{
    static const char status[] =
        "{\"apiVersion\":\"edge.codcompass.io/"
        "v1alpha1\",\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"},\"status\":{"
        "\"observedTime\":\"2026-11-20T08:00:00Z\",\"updates\":[{\"name\":\"edge\",\"phase\":\"Waiting\",\"message\":"
        "\"GET "
        "https://u:" SECRET "@a.example.com/x?X-Amz-Signature=" SECRET ": status 403\"}],\"conditions\":[{\"type\":"
        "\"Ready\",\"status\":\"False\",\"message\":\"Authorization: Bearer " SECRET "\"}]}}";
    static const char config[] =
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nupdateRoots: [/opt/kept]\n"
        "# password: " SECRET "\ntelemetry:\n  headers:\n  - name: X-Api-Key\n    value: " SECRET "\n"
        "  token: " SECRET "\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    " SECRET
        "\n    -----END PRIVATE KEY-----\n";
    size_t n;

    cli_write_text(&run, "status.json", status);
    cli_write_text(&run, "agent.yaml", config);
    cli_write_text(&run, "hold", "{\"reason\": \"lunch, wifi password: " SECRET "\"}");
    cli_write_text(&run, "sink.token", SECRET);
    program("journalctl", "echo 'level=info url=https://x:" SECRET "@h/ MQTT_PASSWORD=" SECRET " kept=1'");
    program("systemctl", "echo 'Environment=TOKEN=" SECRET "' >&2; exit 3");
    ck_assert_int_eq(node_bundle(), HF_EXIT_OK);
    _cleanup_(hf_freep) char *text = cli_read(&run, "bundle", &n);
    ck_assert_msg(strstr(text, SECRET) == NULL, "%s", strstr(text, SECRET));
    expect(text, "a.example.com/x?[redacted]");
    expect(text, "lunch, wifi password: [redacted]");
    expect(text, "updateRoots: [/opt/kept]");
    expect(text, "kept=1");
    expect(text, "(exit code 3)");
    expect(text, "-ln ");
}
END_TEST

/* What programs, logs and objects show secrets as; each is followed by a text that stays. */
static const char *const forms[] = {
    "password: " SECRET,
    "MQTT_PASSWORD=" SECRET,
    "Authorization: Bearer " SECRET,
    "proxy-authorization: Basic " SECRET,
    "https://u:" SECRET "@h.example.com/",
    "GET /x?sig=" SECRET " 403",
    "{\"token\":\"" SECRET "\",\"n\":1}",
    "{\\\"apiKey\\\": \\\"" SECRET "\\\"}",
    "client-key-data: " SECRET,
    "AWS_SECRET_ACCESS_KEY=" SECRET,
    "PRIVATE-TOKEN: " SECRET,
    "X-Api-Key: " SECRET,
    "Set-Cookie: session=" SECRET,
    "{\"auths\":{\"r\":{\"auth\":\"" SECRET "\"}}}",
    "- name: DB_PASSWORD\n  value: " SECRET,
    "stringData:\n  password: |\n    " SECRET "\n    " SECRET,
    "/usr/bin/upload --token " SECRET " --to h",
    "/usr/bin/upload --password=" SECRET " --to h",
    "//h/share /mnt cifs rw,password=" SECRET ",uid=0 0 0",
    "-----BEGIN EC PRIVATE KEY-----\n" SECRET "\n-----END EC PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n" SECRET "\n-----END PRIVATE KEY-----",
};

static void write_forms(const char *name)
{
    _cleanup_(hf_freep) char *text = hf_asprintf("kept: %s\n", name);

    for (size_t i = 0; i < HF_LEN(forms); i++) {
        _cleanup_(hf_freep) char *before = text;
        text = hf_asprintf("%s%s\nkept: %s %zu\n", before, forms[i], name, i);
    }
    cli_write_text(&run, name, text);
}

/* Every program that the bundle asks, and every file that it copies, shows every form. */
START_TEST(has_none_of_the_secrets_of_any_place)
{
    static const char *const programs[] = {"ls", "systemctl", "journalctl", "sh", "timedatectl", "df", "ip", "kubectl"};
    static const char *const fleet[] = {"policies", "updates", "reports of the nodes", "workloads", "events"};
    size_t n;

    write_forms("shown");
    write_forms("agent.yaml");
    for (size_t i = 0; i < HF_LEN(programs); i++) {
        _cleanup_(hf_freep) char *script = hf_asprintf("/bin/cat '%s'", cli_path(&run, "shown"));
        program(programs[i], script);
    }
    ck_assert_int_eq(node_bundle(), HF_EXIT_OK);
    _cleanup_(hf_freep) char *text = cli_read(&run, "bundle", &n);
    ck_assert_msg(strstr(text, SECRET) == NULL, "%.200s", strstr(text, SECRET));
    expect(text, "==== configuration\nkept: agent.yaml\n");
    size_t places = 0;
    for (const char *p = text; (p = strstr(p, "kept: shown 20\n")) != NULL; p++)
        places++;
    ck_assert_uint_ge(places, HF_LEN(programs));
    ck_assert_int_eq(cli(&run, "support", "--server", "http://127.0.0.1:1", "--out", "%/fleet", NULL), HF_EXIT_OK);
    _cleanup_(hf_freep) char *seen = cli_read(&run, "fleet", &n);
    ck_assert_msg(strstr(seen, SECRET) == NULL, "%.200s", strstr(seen, SECRET));
    for (size_t i = 0; i < HF_LEN(fleet); i++) {
        _cleanup_(hf_freep) char *title = hf_asprintf("==== %s\nkept: shown\n", fleet[i]);
        expect(seen, title);
    }
}
END_TEST

START_TEST(has_the_end_of_a_long_log)
{
    size_t n;

    program("journalctl", "i=0; while [ $i -lt 40000 ]; do echo \"$i password: " SECRET
                          " ...................................................\"; i=$((i+1)); done; echo last line");
    ck_assert_int_eq(node_bundle(), HF_EXIT_OK);
    _cleanup_(hf_freep) char *text = cli_read(&run, "bundle", &n);
    expect(text, "(only the last ");
    expect(text, "39999 password: [redacted]\nlast line\n");
    ck_assert_ptr_null(strstr(text, "\n1 password"));
    ck_assert_ptr_null(strstr(text, SECRET));
}
END_TEST

START_TEST(of_a_fleet_passes_the_cluster_on)
{
    size_t n;

    program("kubectl", "echo \"kubectl $*\"; echo 'token: " SECRET "'");
    ck_assert_int_eq(cli(&run, "support", "--server", "http://127.0.0.1:1", "-n", "edge", "--out", "%/bundle", NULL),
                     HF_EXIT_OK);
    _cleanup_(hf_freep) char *text = cli_read(&run, "bundle", &n);
    expect(text, "holdfast support: the fleet, seen from");
    expect(text, "==== rollouts\nholdfast status: read edgeupdates at http://127.0.0.1:1");
    expect(text, "kubectl get syncpolicies -o yaml --server=http://127.0.0.1:1\n");
    expect(text, "kubectl logs -l app.kubernetes.io/component=controller --prefix --tail 2000 -n edge "
                 "--server=http://127.0.0.1:1\n");
    ck_assert_ptr_null(strstr(text, SECRET));
}
END_TEST

START_TEST(that_cannot_be_written)
{
    ck_assert_int_eq(cli(&run, "support", "--state-dir", "%", "--out", "%/absent/bundle", NULL), HF_EXIT_FAILED);
    expect(run.err, "absent");
    ck_assert_int_eq(cli(&run, "support", "everything", NULL), HF_EXIT_USAGE);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, of_a_machine_where_nothing_works);
    tcase_add_test(tc, has_no_planted_secret);
    tcase_add_test(tc, has_none_of_the_secrets_of_any_place);
    tcase_add_test(tc, has_the_end_of_a_long_log);
    tcase_add_test(tc, of_a_fleet_passes_the_cluster_on);
    tcase_add_test(tc, that_cannot_be_written);
}

HF_TEST_MAIN("cli/support", cases)
