/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines and environments, good and bad. */
#include "pvmd/config.h"

#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

static struct config config;
static char error[CONFIG_ERROR_BYTES];

static int read_words(int argc, const char **words)
{
    char *argv[32];
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    argv[argc] = NULL;
    config_fini(&config);
    error[0] = '\0';
    return config_read(&config, argc, argv, error);
}

#define READ(...)                                                                                  \
    read_words((int)(sizeof((const char *[]){"pvmd", __VA_ARGS__}) / sizeof(char *)),              \
               (const char *[]){"pvmd", __VA_ARGS__})

static void bad(int result, const char *words, const char *what)
{
    EQUAL(result, -1, what);
    if (!strstr(error, words))
        printf("# words: %s\n", error);
    OK(strstr(error, words) != NULL, "with words about it");
}

static void test_master(void)
{
    EQUAL(READ("-nnode7"), 0, "a name");
    SAME_TEXT(config.name, "node7", "glued to -n");
    EQUAL(READ("-d0x10", "-n", "node7"), 0, "a mask, and a name as a word of its own");
    EQUAL(config.debug_mask, 16, "hexadecimal");
    EQUAL(config_log_level(&config), LOG_LEVEL_DEBUG, "a mask makes the log louder");
    EQUAL(READ("-t"), 0, "-t");
    OK(config.show, "shows");
    OK(!config.is_new_host && config.seal == SEAL_ENCRYPT && !config.loopback_only,
       "a master seals its packets");
    bad(READ("-dx"), "debug mask", "a mask that is no number");
    bad(READ("-n"), "value is missing", "a name that is missing");
    bad(READ("-q"), "unknown option", "an unknown option");
    bad(READ("/dev/null", "/dev/null"), "only one hostfile", "two hostfiles");
}

static void test_hostfile(void)
{
    char path[] = "/tmp/pvm-unit-XXXXXX";
    int fd = mkstemp(path);
    OK(write(fd, "node1\nnode2\n", 12) == 12, "a hostfile");
    EQUAL(READ(path), 0, "is read");
    SAME_TEXT(config.hostfile_text, "node1\nnode2\n", "whole");
    setenv("PVMHOSTFILE", path, 1);
    EQUAL(READ("-nx"), 0, "PVMHOSTFILE");
    SAME_TEXT(config.hostfile_text, "node1\nnode2\n", "is read too");
    unsetenv("PVMHOSTFILE");
    OK(write(fd, "a\0b", 3) == 3, "with a NUL in it");
    bad(READ(path), "is no text", "it is refused");
    close(fd);
    unlink(path);
    bad(READ("/no/such/file"), "No such file", "a missing one");
    bad(READ("/"), "Is a directory", "a directory");
}

static void test_environment(void)
{
    setenv("PVM_VMID", "../x", 1);
    bad(READ("-nx"), "PVM_VMID", "an insane PVM_VMID");
    setenv("PVM_VMID", "", 1);
    EQUAL(READ("-nx"), 0, "an empty one");
    OK(config.vmid == NULL, "is none");
    unsetenv("PVM_VMID");
    setenv("PVMNETSOCKPORT", "70000", 1);
    bad(READ("-nx"), "PVMNETSOCKPORT", "a port that cannot be");
    setenv("PVMNETSOCKPORT", "7000", 1);
    setenv("PVMDDEBUG", "0x3", 1);
    setenv("PVM_MAX_TASKS", "17", 1);
    EQUAL(READ("-nx"), 0, "numbers");
    OK(config.first_port == 7000 && config.debug_mask == 3 && config.tasks_max == 17, "are taken");
    EQUAL(config_log_level(&config), LOG_LEVEL_TRACE, "packets and messages are the loudest");
    unsetenv("PVMNETSOCKPORT");
    unsetenv("PVMDDEBUG");
    unsetenv("PVM_MAX_TASKS");
    setenv("PVM_SEAL", "off", 1);
    EQUAL(READ("-nx"), 0, "unsealed packets");
    OK(config.seal == SEAL_OFF && config.loopback_only, "stay on this machine");
    setenv("PVM_SEAL", "no", 1);
    bad(READ("-nx"), "unknown way to seal", "an unknown way to seal");
    unsetenv("PVM_SEAL");
}

static void test_dead_after(void)
{
    EQUAL(READ("-nx"), 0, "nothing said");
    OK(config.dead_after_ns == UINT64_C(5000000000), "a silent host is given up after 5 s");
    setenv("PVM_DEAD_AFTER", "1", 1);
    EQUAL(READ("-nx"), 0, "PVM_DEAD_AFTER");
    OK(config.dead_after_ns == UINT64_C(1000000000), "is in seconds");
    EQUAL(READ("-nx", "-a", "2.5"), 0, "-a");
    OK(config.dead_after_ns == UINT64_C(2500000000), "goes before it and has decimals");
    setenv("PVM_DEAD_AFTER", "soon", 1);
    bad(READ("-nx"), "PVM_DEAD_AFTER", "no number");
    unsetenv("PVM_DEAD_AFTER");
    bad(READ("-nx", "-a0.1"), "in seconds", "too short");
    bad(READ("-nx", "-anan"), "in seconds", "not a number");
    bad(READ("-nx", "-a1e9"), "in seconds", "too long");
    bad(READ("-nx", "-a"), "value is missing", "nothing");
}

static void test_new_host(void)
{
    struct host_start start = {.number = 2, .epoch = 7, .master_epoch = 9};
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    struct wire_address address = {.ip = {.data = ip, .length = 16}, .port = 4000};
    start.master_addresses = &address;
    start.master_address_count = 1;
    struct strbuf text;
    strbuf_init(&text);
    join_args_write(&text, &start);
    char j[256], m[512];
    OK(sscanf(strbuf_text(&text), " -j %255s -m %511s", j, m) == 2, "the words of a start");
    strbuf_fini(&text);
    EQUAL(READ("-s", "-nnode2", "-v", "vm", "-j", j, "-m", m), 0, "are understood");
    OK(config.is_new_host && config.join.number == 2 && config.join.epoch == 7, "number and epoch");
    SAME_TEXT(config.vmid, "vm", "the virtual machine");
    EQUAL(READ("-S", "-f", "-nnode2", "-e", "integrity", "-j", j, "-m", m), 0, "by hand");
    OK(config.stay && config.seal == SEAL_INTEGRITY, "in the foreground, with tags only");
    EQUAL(READ("-s", "-w", "-nnode2", "-j", j, "-m", m), 0, "held");
    OK(config.is_held && config.is_new_host, "until it is a host");
    bad(READ("-s", "-nnode2"), "-j and -m", "without them");
    bad(READ("-s", "-nnode2", "-j", "x", "-m", m), "-j x", "with rubbish");
}

int main(void)
{
    TEST(test_master);
    TEST(test_hostfile);
    TEST(test_environment);
    TEST(test_dead_after);
    TEST(test_new_host);
    config_fini(&config);
    return tap_done();
}
