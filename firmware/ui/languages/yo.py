"""What the terminal says in Yoruba, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|Ó dáa
back|Padà
clear|Parẹ́
stop|Dúró
later|Tó bá yá
yes|Bẹ́ẹ̀ ni
print|Tẹ̀
show|Fi hàn
done|Parí
out|Jáde
try|Tún ṣe
copy|Ẹ̀dà
online|Ó wà
searching|Ó ń wá
offline|Kò sí nẹ́tì
starting|Ó ń bẹ̀rẹ̀
your_pin|PIN rẹ, lẹ́yìn náà #
wrong_pin|PIN kò tọ̀nà
tries_left|PIN yẹn kò tọ̀nà. Ìgbà tó kù kí o tó dúró: {}
locked|Jọ̀ọ́, dúró
locked_for|PIN tí kò tọ̀nà ti pọ̀ jù. Tún gbìyànjú lẹ́yìn ìṣẹ́jú àáyá {}.
menu|Àkójọ
m_sell|Ta káàdì ìpè
m_topup|Fi owó sí nọ́ńbà
m_meter|Iná mànàmáná
m_bill|San owó ìwé
again|Sí i
which_operator|Ilé-iṣẹ́ wo?
to_topup|Nọ́ńbà
to_meter|Mítà
to_bill|Nọ́ńbà ìwé
number|Nọ́ńbà
type_topup|Tẹ nọ́ńbà, lẹ́yìn náà #
type_meter|Tẹ nọ́ńbà mítà, lẹ́yìn náà #
type_bill|Tẹ nọ́ńbà ìwé, lẹ́yìn náà #
once_more|Lẹ́ẹ̀kan sí i
type_again|Tún nọ́ńbà náà tẹ̀
not_the_same|Méjèèjì kò bára mu. Bi oníbàárà, kí o tún bẹ̀rẹ̀.
check_it|Tún wò ó
bad_length|Ó gbọ́dọ̀ ní nọ́ńbà {}. Ka wọ́n pẹ̀lú oníbàárà.
bad_start|Nọ́ńbà ilé-iṣẹ́ yìí bẹ̀rẹ̀ pẹ̀lú {}
bad_meter|Nọ́ńbà kan kò tọ̀nà: èyí kì í ṣe mítà. Tún kà á.
favourite|Ààyò
favourites|Àwọn ààyò
all|Gbogbo
fav_on|{}: bọ́tìnì {} nínú ààyò.
fav_off|{}: kì í ṣe ààyò mọ́.
fav_full|Mẹ́sàn-án ni ó pọ̀ jù. Yọ ọ̀kan kúrò lójú ewé rẹ̀.
of_another|Nọ́ńbà yìí jọ ti {}, kì í ṣe ti {}. Ṣé kí n tà?
is_it|Ṣé òun nìyí?
amount|Iye owó
at_least|Ó kéré jù
at_most|Ó pọ̀ jù
in_steps_of|Ìlọ́po
in_stock|Ó wà nílẹ̀
still|Ó kù
only_online|Nẹ́tíwọ̀kì nìkan la fi ń tà á. A kò ta nǹkan kan.
wait_name|Ó ń bèèrè ẹni tó ni ín
no_name|A kò mọ ẹni tó ni ín. A kò ta nǹkan kan.
pending|Kò tíì yanjú
pending_t|A ti fi títà {} ránṣẹ́. Má tún un tà: ẹ̀rọ yóò bèèrè fúnra rẹ̀.
key_first|KỌ́KỌ́ tẹ àwọn àmì kọ́kọ́rọ́ ({}), ní ọ̀nà yìí:
key_n|Àmì kọ́kọ́rọ́ {} nínú {}
then_token|LẸ́YÌN NÁÀ àmì iná:
token_n|Àmì {} nínú {}
d_customer|Oníbàárà
d_units_kwh|Yúníìtì kWh
d_tariff|Iye yúníìtì
d_tax|Owó orí
d_arrears|Gbèsè
d_fixed_charge|Owó pàtó
d_free_units|Yúníìtì ọ̀fẹ́ kWh
d_other|{}
m_reprint|Tún tẹ̀
m_sales|Títà tó kẹ́yìn
wait_sales|Ó ń ka ìrántí títà
ask|Bèèrè
state|Ipò
sale_no|Tẹ nọ́ńbà títà, lẹ́yìn náà #
not_among|Títà {} kò sí nínú 20 tó kẹ́yìn lórí ẹ̀rọ yìí.
st_out|a ti tẹ̀ ẹ́
st_doubt|iyèméjì
st_ready|láti tẹ̀
st_waits|kò fèsì
st_refused|a kọ̀ ọ́
st_back|ó padà
st_unread|ó bàjẹ́
st_doubt_t|Ìwé lè ti jáde. Bí oníbàárà kò bá ní, tẹ ẹ̀dà.
st_waits_t|Bèèrè: títà kan náà ni, kì í ṣe èkejì.
st_back_t|A kò tà á. Owó ti padà sínú àpò.
m_day|Ìròyìn, iṣẹ́
m_float|Owó àpò
m_messages|Iṣẹ́ tí a rán
m_language|Èdè
m_info|Ẹ̀rọ yìí
waiting|Títà tí kò tíì parí: {}. Wọlé kí o parí wọn.
m_unfinished|Títà tí kò parí
float|Owó àpò
commission|Èrè
sell_what|Kí lo fẹ́ tà?
sell_q|Ta {}?
float_now|Owó báyìí
float_after|Owó lẹ́yìn
checking|Ó ń wo ìtẹ̀wé
wait_printer|Ó ń bi ẹ̀rọ ìtẹ̀wé bóyá ó ní ìwé
no_paper|Kò sí ìwé
paper_out|Fi ìwé tuntun sí i, pa ìdérí dé. A kò ta nǹkan kan.
cover_open|Pa ìdérí ẹ̀rọ ìtẹ̀wé dé. A kò ta nǹkan kan.
printer_bad|Ẹ̀rọ ìtẹ̀wé
weak|Bátìrì ti lọ sílẹ̀
weak_t|Gba iná sí i: ìwé lè dúró láàárín. A kò ta nǹkan kan.
error|Ẹ̀rọ ìtẹ̀wé ní ìṣòro. Pa á, tàn án. A kò ta nǹkan kan.
selling|Ó ń tà
wait_network|Ó ń wá nẹ́tíwọ̀kì
wait_office|Ó ń bi ọ́fíìsì
wait_server|Ó ń bi sáfà
wait_print|Ó ń tẹ ìwé
wait_report|Ó ń tẹ ìròyìn
no_network|Kò sí nẹ́tíwọ̀kì
n_no_sim|Kò sí káàdì SIM
n_sim_locked|SIM ti tì pa
n_denied|A kọ SIM
n_no_gprs|Kò sí dátà
n_no_modem|Ìṣòro módẹ́mù
stock_q|Ṣé kí a tà á látinú ẹ̀rọ yìí? Ó ku: {}
sms|SMS
sms_q|Kò sí dátà. Ṣé kí a fi SMS bèèrè? SMS kan ní owó.
wait_sms|A fi SMS bèèrè. Ó lè gba ìṣẹ́jú kan.
no_answer|Kò tíì fèsì
no_answer_t|A ti pa títà {} mọ́. Bèèrè báyìí, tàbí tó bá yá.
sold|A ti tà á
sold_t|Fún oníbàárà ní ìwé.
sold_unsure|Wo ìwé náà. Bí kò bá pé, tẹ ẹ̀dà.
not_sold|A kò tà á
not_printed|A kò tẹ̀ ẹ́
np_paper_out|Ìwé ti tán. Fi tuntun sí i, kí o tún tẹ̀ ẹ́.
np_cover_open|Ìdérí ṣí sílẹ̀. Pa á dé, kí o tún tẹ̀ ẹ́.
np_error|Ẹ̀rọ ìtẹ̀wé ti dúró. Pa á, tàn án, kí o tún tẹ̀ ẹ́.
pin_is|PIN
show_pin_q|Ṣé kí PIN hàn lójú ẹ̀rọ? Kọ ọ́ fún oníbàárà.
cut|Títà já
cut_print|Títà {}, {}: ṣé oníbàárà ní ìwé? Bí kò bá ní, tẹ ÈKEJÌ.
cut_ask|Títà {}, {}: sáfà kò fèsì. Ṣé kí a bèèrè báyìí?
no_last|Kò tíì sí títà láti tún tẹ̀.
last_q|Ṣé kí a tún títà {} tẹ̀, pẹ̀lú àmì ÈKEJÌ? {}
no_messages|Kò sí iṣẹ́ kankan.
sales|Títà
total|Àpapọ̀
unsynced|A kò tíì rán
reprints|Ẹ̀dà
release|Irú ẹ̀dà
slot|Apá
terminal|Ẹ̀rọ
signal|Agbára
battery|Bátìrì
time|Aago
on_trial|ní ìdánwò
e_no_float|Owó àpò rẹ kéré jù. Fi kún un, kí o tó tà.
e_offline_amount|Ó wọ́n jù láìsí nẹ́tíwọ̀kì. Mú kékeré tàbí dúró.
e_offline_count|Iye títà láìsí nẹ́tíwọ̀kì ti pé. Dúró de nẹ́tíwọ̀kì.
e_offline_total|Iye owó láìsí nẹ́tíwọ̀kì ti pé. Dúró de nẹ́tíwọ̀kì.
e_offline_age|Ó pẹ́ jù láìsí nẹ́tíwọ̀kì. Lọ síbi tó wà, kí o tó tà.
e_no_stock|Irú káàdì yìí ti tán. Mú òmíràn tàbí dúró de nẹ́tíwọ̀kì.
e_unknown_product|A kò ta ọjà yìí mọ́. Mú òmíràn.
e_journal_full|Ìrántí títà ti kún. Dúró de nẹ́tíwọ̀kì: yóò dínkù fúnra rẹ̀.
e_pending_sale|Kọ́kọ́ parí títà tó ń dúró: wo àkójọ.
e_spoiled|Káàdì yìí kò ṣeé kà. A kò gba owó. Ta òmíràn.
e_unreadable|Káàdì yìí kò ṣeé kà báyìí. Wá nẹ́tíwọ̀kì, kí o tẹ̀ ẹ́.
e_conflict|Sáfà ní títà míràn ní nọ́ńbà yìí. Pe aṣojú rẹ.
e_price_changed|Iye tàbí èrè ti yí padà. Tún wò ó tàbí gbìyànjú tó bá yá.
e_no_vouchers|Ilé-iṣẹ́ kò ní káàdì báyìí. Ta òmíràn, tàbí gbìyànjú tó bá yá.
e_bad_recipient|A kò mọ nọ́ńbà yìí. Bi oníbàárà, kí o tún tẹ̀ ẹ́.
e_supplier_refused|Olùpèsè kọ títà yìí. A kò gba owó.
e_supplier_down|A kò rí olùpèsè. A kò gba owó. Gbìyànjú tó bá yá.
e_restoring|A ń tún ọ́fíìsì ṣe. Ta látinú ẹ̀rọ, tàbí gbìyànjú tó bá yá.
e_blocked|A ti ti ẹ̀rọ yìí pa. Pe aṣojú rẹ.
e_other|Sáfà kọ̀ ọ́ ({}). Bí ó bá ń rí bẹ́ẹ̀, pe aṣojú rẹ.
service|Ó nílò àtúnṣe
s_config|Ètò ẹ̀rọ kò sí tàbí ó bàjẹ́. Gbé e lọ fún onímọ̀ ẹ̀rọ.
s_catalogue|Iye owó ọjà kò sí tàbí ó bàjẹ́. Yóò padà pẹ̀lú nẹ́tíwọ̀kì.
s_journal|Ìrántí títà kò ṣeé kà. Má ta nǹkan. Pe onímọ̀ ẹ̀rọ.
r_duplicate|ÈKEJÌ
r_copy|Ẹ̀dà
r_serial|Nọ́ńbà
r_tax|Owó orí
r_vat|VAT {}% nínú
r_dial|Tẹ
r_help|Ìrànlọ́wọ́
r_valid|Títí di
r_sale|Títà
r_thanks|A dúpẹ́
r_day|ÌRÒYÌN ỌJỌ́
r_offline|látinú ẹ̀rọ
m_pin|PIN mi
m_people|Àwọn ènìyàn
owner|Onísọ̀
cashier|Akápò
technician|Onímọ̀ ẹ̀rọ
add|Fi ẹnìkan kún
name|Orúkọ
rename|Orúkọ míràn
remove|Yọ kúrò
pin_give|PIN tuntun
pin_old|PIN rẹ ti ìsinsìnyí
pin_new|PIN tuntun: nọ́ńbà {} sí {}
pin_again|PIN tuntun lẹ́ẹ̀kan sí i
pin_short|PIN yìí kúrú jù. Ohunkóhun kò yí padà.
pin_easy|Olè yóò kọ́kọ́ gbìyànjú PIN yìí. Yan òmíràn.
pin_differs|PIN méjèèjì kò bára mu. Ohunkóhun kò yí padà.
pin_kept|PIN tuntun ti bẹ̀rẹ̀ iṣẹ́.
not_kept|Kò lè pa á mọ́. Ohunkóhun kò yí padà. Pe onímọ̀ ẹ̀rọ.
remove_q|Yọ {} kúrò? Orúkọ yóò wà nínú títà àtijọ́.
people_kept|A ti pa á mọ́ sínú ẹ̀rọ yìí.
spell|Bọ́tìnnì kan náà: lẹ́tà míràn
spell_on|B: lẹ́tà tó kàn
cancel|Fagi lé
cancel_q|Fagi lé títà {}? Bí oníbàárà kò bá ní ohun rẹ̀ nìkan. Ọ́fíìsì ló máa pinnu.
cancel_kept|Títà {}: a óò béèrè lọ́wọ́ ọ́fíìsì. Má fún ẹnikẹ́ni.
cancel_no|Ọ́fíìsì kò fagi lé e. Fún oníbàárà.
e_cancelled|A ti fagi lé títà yìí. A kò gba owó kankan.
r_cancelled|A TI FAGI LÉ TÍTÀ
m_shift|Àkókò iṣẹ́
m_z|Ìròyìn Z
rp_today|Òní
rp_yesterday|Àná
rp_week|Ọ̀sẹ̀ yìí
rp_x|X: láti Z tó kọjá
shift_open|Bẹ̀rẹ̀ iṣẹ́
shift_close|Parí iṣẹ́
shift_is_open|Iṣẹ́ ti bẹ̀rẹ̀. Parí rẹ̀ níbí nígbà tí o bá ń lọ.
cash_now|Owó inú àpótí báyìí
cash_count|Ka owó inú àpótí
cash_start|Ní ìbẹ̀rẹ̀
cash_expected|Tí a retí
cash_counted|Tí a kà
difference|Ìyàtọ̀
make|Ṣe é
z_make|Ṣe Z tó kàn
z_copy|Ẹ̀dà Z kan
z_number|Nọ́ńbà ìròyìn Z
z_none|Ìròyìn Z {} kò sí nínú ẹ̀rọ yìí.
r_x|ÌRÒYÌN X
r_z|ÌRÒYÌN Z {}
r_week|ÌRÒYÌN Ọ̀SẸ̀
r_shift|IṢẸ́ TI PARÍ
r_records|Àkọsílẹ̀
r_digest|Àmì
deposit|Owó tí a san
paid_out|Owó tí a yọ
float_then|Owó lẹ́yìn rẹ̀
s_stolen|Wọ́n ní a jí ẹ̀rọ yìí gbé. Kò ta ohunkóhun. Ẹni tó ní i: pe nọ́mbà yìí.
s_wiped|Ó pẹ́ láìsí ọ́fíìsì: a ti pa àwọn káàdì rẹ́. Wá nẹ́tíwọ́kì.
no|Rárá
m_set|Ohùn, ojú ẹ̀rọ
snd|Ohùn
snd_all|Bọ́tìnì àti èsì
snd_results|Èsì nìkan
snd_off|Dákẹ́
contrast|Ìmọ́lẹ̀
contrast_t|A pọ̀ si, B dín kù. # pa á mọ́.
m_service|Ìtọ́jú ẹ̀rọ
versions|Ẹ̀dà
self_test|Ìdánwò
sim_network|SIM, nẹ́tíwọ̀kì
not_tested|A kò dán an wò
hardware|Ẹ̀rọ
bootloader|Ìbẹ̀rẹ̀
prices|Àkójọ iye
settings|Ètò
channel|Ìkànnì
server|Sáfà
memory|Ìrántí
program|Ètò ẹ̀rọ
keys|Bọ́tìnì
display|Ojú ẹ̀rọ
clock|Aago
sim|Káàdì SIM
modem|Módẹ́ẹ̀mù
faulty|ÀBÙKÙ
press_all|Tẹ bọ́tìnì kọ̀ọ̀kan lẹ́ẹ̀kan. Ó kù: {}
lcd_watch|Gbogbo àmì máa tàn fún ìṣẹ́jú-àáyá 3. Wá àlàfo.
lcd_q|Ṣé gbogbo àmì tàn?
t_battery|{} mV: gba iná sí i, tàbí pààrọ̀ bátìrì.
t_clock|Ó dúró tàbí kò péye: pààrọ̀ bátìrì rẹ̀, lẹ́yìn náà bọ́ọ̀dù.
t_memory|Ohun tí a kọ kò ṣeé kà: pààrọ̀ bọ́ọ̀dù.
t_program|Ó ti bàjẹ́: tún mú un wá pẹ̀lú wáyà.
t_keys|Kò dáhùn: {}
t_lcd|Àmì kan kò sí: pààrọ̀ ojú ẹ̀rọ.
t_mute|Kò dáhùn: wo wáyà àti iná rẹ̀.
operator|Ilé-iṣẹ́
registered|Ìforúkọsílẹ̀
rg_none|rárá
rg_home|nílé
rg_search|ń wá a
rg_denied|a kọ̀ ọ́
rg_roam|àlejò
cell|Òpó
address|Àdírẹ́sì IP
wait_modem|Ń béèrè lọ́wọ́ módẹ́ẹ̀mù
r_service|ÌWÉ ÌTỌ́JÚ
m_training|Ìdánrawò
tr_q|Kọ́ títà. A kò ta nǹkan, a kò fi ránṣẹ́. Ó parí níbí tàbí tí a bá pa á.
tr_end|Parí
tr_mark|ÌDÁNRAWÒ - A KÒ TÀ Á
tr_paper|ÌDÁNRAWÒ: KÒ NÍ IYE
tr_name|Oníbàárà kan
tr_done|Ya ìwé náà: kò ní iye.
shift_copy|Ẹ̀dà iṣẹ́ kan
no_shifts|Kò sí iṣẹ́ tí a parí nínú ẹ̀rọ yìí.
closed|A ti parí
"""
