# SPDX-License-Identifier: Apache-2.0
"""Who runs when."""
import figures

REPEATS = 2                       # of a turn that other processes disturbed
QUICK_NETWORKS = ("mobilenet_v2",)  # those that OpenCL peers get when time is short: their first start takes long


def order(given, kinds):
    """All turns as (round, network, engine). Each round begins with another engine, so that none always follows the same
    one. OpenCL peers are slower by a factor that needs no second round."""
    for i in range(given.rounds):
        first = i % len(given.engines)
        for network in given.networks:
            for key in given.engines[first:] + given.engines[:first]:
                if kinds[key] != "opencl" or i == 0:
                    yield i, network, key


def quiet_turn(turn, key, network, given):
    """A turn, and again when others had the cores too; the quietest counts, not the fastest."""
    best = turn(key, network, given)
    for _ in range(REPEATS):
        if "failed" in best or best["others"] <= figures.QUIET:
            break
        another = turn(key, network, given)
        if "failed" not in another and another["others"] < best["others"]:
            best = another
    return best


def take(turn, given, kinds, missing):
    """Yields the turns. turn(engine, network, settings) runs one; missing: engine -> why it cannot."""
    failed = {}
    for i, network, key in order(given, kinds):
        if key in missing:
            result = {"failed": missing[key]}
        elif kinds[key] == "opencl" and given.quick and network not in QUICK_NETWORKS:
            result = {"failed": "left out by --quick"}
        elif (network, key) in failed:  # it would again, and might take long to
            result = {"failed": failed[network, key]}
        else:
            result = quiet_turn(turn, key, network, given)
        if "failed" in result:
            failed[network, key] = result["failed"]
        yield {"round": i, "network": network, "engine": key, **result}


def sentence(turn, networks, engines, rounds):
    what = turn["failed"] if "failed" in turn else f"{turn['median_ms']:.2f} ms"
    return f"round {turn['round'] + 1} of {rounds}: {networks[turn['network']]}, {engines[turn['engine']]}: {what}"
