"""SIM card, PIN, coverage and registration, as the modem tells them."""

from __future__ import annotations

from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sim_card import Registration, SimCard
from hw_sim.pacing import Pace
from tests.support.at_person import TIME_SCALE, AtPerson, run


def test_registration_takes_its_time_and_is_announced_when_asked() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=50, registration_delay_s=25)
        person = AtPerson(network)
        await person.switch_on(until="+CPIN: READY")
        await person.say("ATE0")
        await person.say("AT+CREG=1")
        assert "+CREG: 1,2" in await person.say("AT+CREG?")
        assert "+COPS: 0\r\n" in await person.say("AT+COPS?")
        await person.read_until(r"\r\n\+CREG: 1\r\n")
        assert "+CREG: 1,1" in await person.say("AT+CREG?")
        assert "+CGREG: 0,1" in await person.say("AT+CGREG?")
        assert '+COPS: 0,0,"Savanna"' in await person.say("AT+COPS?")
        assert "+CGATT: 1" in await person.say("AT+CGATT?")

    run(scenario())


def test_losing_and_finding_coverage_is_announced() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network)
        await person.switch_on()
        await person.say("AT+CREG=2")
        await person.wait_registered()
        network.set_coverage(False)
        await person.read_until(r"\+CREG: 2\r\n")
        assert "+CSQ: 99,0" in await person.say("AT+CSQ")
        network.set_coverage(True)
        await person.read_until(r'\+CREG: 1,"00C3","1A2B"\r\n')
        network.set_signal(7)
        assert "+CSQ: 7,0" in await person.say("AT+CSQ")

    run(scenario())


def test_a_denied_sim_is_told_so_and_roaming_is_told_apart() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        network.set_admission(Registration.DENIED)
        person = AtPerson(network)
        await person.switch_on()
        await person.say("AT+CREG=1")
        if "1,3" not in await person.say("AT+CREG?"):
            await person.read_until(r"\+CREG: 3\r\n")
        assert "ERROR" in await person.say("AT+CGATT=1")
        network.set_admission(Registration.ROAMING)
        await network.pace.sleep(300)
        assert "1,3" in await person.say("AT+CREG?"), "it does not ask again by itself"
        await person.say("AT+CFUN=0")
        await person.say("AT+CFUN=1")
        await person.read_until(r"\+CREG: 5\r\n")
        assert "OK" in await person.say("AT+CGATT=1")

    run(scenario())


def test_without_a_sim_nothing_registers() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, sim_inserted=False)
        person = AtPerson(network)
        await person.switch_on(until="+CPIN: NOT INSERTED")
        await person.say("AT+CMEE=1")
        await network.pace.sleep(20)
        assert "+CREG: 0,0" in await person.say("AT+CREG?")
        assert "+CME ERROR: 10" in await person.say("AT+CIMI")
        assert "+CME ERROR: 10" in await person.say("AT+CGATT=1")

    run(scenario())


def test_a_card_put_in_later_waits_for_a_restart() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, sim_inserted=False)
        person = AtPerson(network)
        await person.switch_on(until="+CPIN: NOT INSERTED")
        network.insert_sim()
        assert "ERROR" in await person.say("AT+CPIN?")
        await person.say("AT+CFUN=1,1")
        await person.read_until(r"\+CPIN: READY\r\n")
        await person.wait_registered()

    run(scenario())


def test_a_card_taken_out_ends_the_data_context() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network)
        await person.bring_up()
        network.remove_sim()
        await person.read_until(r"\+PDP: DEACT\r\n.*\+CPIN: NOT READY\r\n")
        assert "ERROR" in await person.say("AT+CPIN?")
        assert "+CREG: 0,0" in await person.say("AT+CREG?")

    run(scenario())


def test_a_pin_is_asked_for_and_the_right_one_lets_it_register() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, sim=SimCard(pin="4711"))
        person = AtPerson(network)
        await person.switch_on(until="+CPIN: SIM PIN")
        await person.say("AT+CMEE=1")
        assert "+CPIN: SIM PIN" in await person.say("AT+CPIN?")
        assert "+CME ERROR: 11" in await person.say("AT+CIMI")
        assert "+CME ERROR: 16" in await person.say("AT+CPIN=0000")
        assert "OK" in await person.say('AT+CPIN="4711"')
        await person.read_until(r"\+CPIN: READY\r\n")
        await person.wait_registered()
        assert "+CME ERROR: 3" in await person.say("AT+CPIN=4711")

    run(scenario())


def test_three_wrong_pins_lock_the_card_through_power_cuts_until_its_puk() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, sim=SimCard(pin="4711", puk="87654321"))
        person = AtPerson(network)
        await person.switch_on(until="+CPIN: SIM PIN")
        await person.say("AT+CMEE=1")
        for code in (16, 16, 12):
            assert f"+CME ERROR: {code}\r" in await person.say("AT+CPIN=0000")
        person.modem.on_power(False)
        await person.switch_on(until="+CPIN: SIM PUK")
        assert "ERROR" in await person.say("AT+CPIN=4711")
        assert "ERROR" in await person.say('AT+CPIN="11111111","2222"')
        assert "OK" in await person.say('AT+CPIN="87654321","2222"')
        await person.wait_registered()
        assert network.sim is not None
        assert network.sim.pin == "2222"

    run(scenario())


def test_airplane_mode_leaves_the_network_and_comes_back() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network)
        await person.switch_on()
        await person.wait_registered()
        assert "OK" in await person.say("AT+CFUN=4")
        assert "+CREG: 0,0" in await person.say("AT+CREG?")
        assert "+CSQ: 99,0" in await person.say("AT+CSQ")
        assert "+CPIN: READY" in await person.say("AT+CPIN?")
        assert "OK" in await person.say("AT+CFUN=1")
        await person.wait_registered()
        said = await person.say("AT+CFUN=0")
        assert "+CPIN: NOT READY" in said
        assert "ERROR" in await person.say("AT+CPIN?")
        await person.say("AT+CFUN=1")
        await person.wait_registered()

    run(scenario())


def test_a_sim_without_data_contract_registers_but_gets_no_context() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, sim=SimCard(gprs_contract=False))
        person = AtPerson(network)
        await person.switch_on()
        await person.wait_registered()
        assert "+CGATT: 0" in await person.say("AT+CGATT?")
        await person.say("AT+CMEE=1")
        assert "+CME ERROR: 133" in await person.say("AT+CGATT=1")
        await person.say('AT+CSTT="internet"')
        said = await person.say("AT+CIICR")
        assert "+PDP: DEACT" in said
        assert "+CME ERROR" in said

    run(scenario())


def test_the_wrong_access_point_gets_no_context() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, apn="savanna.data")
        person = AtPerson(network)
        await person.switch_on()
        await person.wait_registered()
        await person.say('AT+CSTT="internet"')
        assert "ERROR" in await person.say("AT+CIICR")
        assert "SHUT OK" in await person.say("AT+CIPSHUT")
        await person.say('AT+CSTT="savanna.data"')
        assert "OK" in await person.say("AT+CIICR")

    run(scenario())


class OneDay(Pace):
    """A clock on which it is always 27 October 2026."""

    def unix_s(self) -> float:
        return 1_793_100_000.0


def test_a_clock_without_network_time_starts_in_2004_and_takes_what_the_cell_says() -> None:
    async def scenario() -> None:
        network = GsmNetwork(pace=OneDay(TIME_SCALE))
        person = AtPerson(network)
        await person.switch_on()
        await person.wait_registered()
        assert '+CCLK: "04/01/01,00:00:' in await person.say("AT+CCLK?")
        await person.say("AT+CLTS=1")
        await person.say("AT+CFUN=4")
        await person.say("AT+CFUN=1")
        await person.read_until(r'\*PSUTTZ: 2026,10,27,\d+,\d+,\d+,"\+0",0\r\n')
        assert '+CCLK: "26/10/27,' in await person.say("AT+CCLK?")

    run(scenario())


def test_a_rogue_cell_can_claim_any_time() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, registration_delay_s=50)
        network.forge_time(2_000_000_000)
        person = AtPerson(network)
        person.modem.on_power(True)
        await person.press_power_key()
        await person.read_until("RDY")
        await person.say("AT+CLTS=1")
        await person.read_until(r"\*PSUTTZ: 2033,5,18")
        assert '+CCLK: "33/05/18,' in await person.say("AT+CCLK?")
        network.honest_time()
        assert abs(network.time_unix_s() - 2_000_000_000) > 1000

    run(scenario())


def test_the_clock_can_be_set_and_nonsense_is_refused() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        assert "OK" in await person.say('AT+CCLK="26/11/21,08:30:00+12"')
        assert '+CCLK: "26/11/21,08:30:0' in await person.say("AT+CCLK?")
        assert "ERROR" in await person.say('AT+CCLK="26/13/21,08:30:00+00"')
        assert "ERROR" in await person.say('AT+CCLK="soon"')

    run(scenario())
