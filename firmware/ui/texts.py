"""Every word the merchant or the customer reads, by language, in one table; for screens and paper.

The table is one string, so that on the board it stays in flash and costs no heap until a word is
shown. A line is `key|English|French`; `{}` is filled in order.
A test measures every text against the screen it appears on.
"""

# ruff: noqa: E501 -- a text in all its languages stays on one line, or the table could not be read

LANGUAGES = ("en", "fr")
NAMES = ("English", "Français")

_TABLE = """
ok|OK|OK
back|Back|Retour
clear|Clear|Effacer
stop|Stop|Arrêter
later|Later|Après
yes|Yes|Oui
print|Print|Imprimer
show|Show|Voir
done|Done|Fini
out|Sign out|Quitter
try|Try again|Réessayer
copy|Copy|Copie
online|Online|En ligne
searching|Searching|Recherche
offline|No network|Hors ligne
starting|Starting|Démarrage
your_pin|Your PIN, then #|Votre code, puis #
wrong_pin|Wrong PIN|Code incorrect
tries_left|That PIN is not right. Tries before a pause: {}|Ce code est faux. Essais avant une pause : {}
locked|Please wait|Patientez
locked_for|Too many wrong PINs. Try again in {} s.|Trop de codes faux. Réessayez dans {} s.
menu|Menu|Menu
m_sell|Sell airtime|Vendre du crédit
m_topup|Top up a number|Recharger un numéro
m_meter|Electricity|Électricité
m_bill|Pay a bill|Payer une facture
again|Again|Encore
which_operator|Which operator?|Quel opérateur ?
to_topup|Number|Numéro
to_meter|Meter|Compteur
to_bill|Reference|Référence
number|Number|Numéro
type_topup|Type the number, then #|Tapez le numéro, puis #
type_meter|Type the meter's number, then #|Numéro du compteur, puis #
type_bill|Type the reference, then #|Tapez la référence, puis #
once_more|Once more|Encore une fois
type_again|Type the same number again|Retapez le même numéro
not_the_same|The two are not the same. Ask the customer and begin again.|Les deux diffèrent. Demandez au client et recommencez.
check_it|Look again|À revoir
bad_length|It must have {} digits. Count them with the customer.|Il faut {} chiffres. Comptez-les avec le client.
bad_start|This operator's numbers begin with {}|Les numéros de cet opérateur commencent par {}
bad_meter|A digit is wrong: this can be no meter. Read it once more.|Un chiffre est faux : ce n'est pas un compteur. Relisez.
is_it|Is it this one?|Est-ce bien lui ?
amount|Amount|Montant
at_least|At least|Minimum
at_most|At most|Maximum
in_steps_of|In steps of|Par pas de
in_stock|In stock|En stock
only_online|This is sold with network only. Nothing was sold.|Se vend avec réseau seulement. Rien n'a été vendu.
wait_name|Asking whose it is|Recherche du client
no_name|Nobody told whose it is. Nothing was sold.|Client inconnu pour l'instant. Rien n'a été vendu.
pending|Not decided yet|Pas encore décidé
pending_t|Sale {} is sent. Do not sell it again: it is asked for by itself.|La vente {} est partie. Ne la refaites pas : elle est redemandée.
key_first|FIRST type the key tokens ({}), in this order:|Tapez D'ABORD les codes de clé ({}), dans cet ordre :
key_n|Key token {} of {}|Code de clé {} sur {}
then_token|THEN the credit token:|ENSUITE le code de crédit :
token_n|Token {} of {}|Code {} sur {}
d_customer|Customer|Client
d_units_kwh|Units kWh|Unités kWh
d_tariff|Tariff|Tarif
d_tax|Tax|Taxe
d_arrears|Arrears|Arriérés
d_free_units|Free units kWh|Unités gratuites kWh
d_other|{}|{}
m_reprint|Reprint last|Réimprimer
m_sales|Last sales|Dernières ventes
wait_sales|Reading the sales memory|Lecture de la mémoire des ventes
ask|Ask|Demander
state|State|État
sale_no|Type the sale's number, then #|Numéro de la vente, puis #
not_among|Sale {} is not one of the last 20 in this terminal.|La vente {} n'est pas parmi les 20 dernières de ce terminal.
st_out|printed|imprimé
st_doubt|in doubt|en doute
st_ready|to print|à imprimer
st_waits|no answer|attend
st_refused|refused|refusé
st_back|returned|repris
st_unread|damaged|illisible
st_doubt_t|The paper may be out. If the customer has none, print a copy.|Le reçu est peut-être sorti. Sinon, imprimez une copie.
st_waits_t|Ask: it is the same sale, never a second one.|Demandez : c'est la même vente, jamais une seconde.
st_back_t|It was not sold. The float has its money back.|Elle n'a pas été vendue. Le solde a été rendu.
m_day|Day report|Rapport du jour
m_float|Float|Solde
m_messages|Messages|Messages
m_language|Language|Langue
m_info|This terminal|Ce terminal
waiting|Sales to finish: {}. Sign in to finish them.|Ventes à finir : {}. Tapez votre code.
m_unfinished|Unfinished sale|Vente en attente
float|Float|Solde
commission|Commission|Commission
sell_what|Sell what?|Quel produit ?
sell_q|Sell {}?|Vendre {} ?
float_now|Float now|Solde actuel
float_after|Float after|Solde après
checking|Checking printer|Test imprimante
wait_printer|Asking the printer if it has paper|Vérification du papier
no_paper|No paper|Plus de papier
paper_out|Put in a new roll and close the cover. Nothing was sold.|Mettez un rouleau et fermez le capot. Rien n'a été vendu.
cover_open|Close the printer's cover. Nothing was sold.|Fermez le capot de l'imprimante. Rien n'a été vendu.
printer_bad|Printer|Imprimante
error|The printer reports a fault. Switch it off and on. Nothing was sold.|Panne de l'imprimante. Éteignez, rallumez. Rien n'a été vendu.
selling|Selling|Vente
wait_network|Looking for the network|Recherche du réseau
wait_office|Asking the office|Question au bureau
wait_voucher|Asking the server for the voucher|Demande du bon au serveur
wait_print|Printing the voucher|Impression du bon
wait_report|Printing the report|Impression du rapport
no_network|No network|Pas de réseau
n_no_sim|No SIM card|Pas de carte SIM
n_sim_locked|SIM is locked|SIM verrouillée
n_denied|SIM refused|SIM refusée
n_no_gprs|No data service|Pas de données
n_no_modem|Modem fault|Panne du modem
stock_q|Sell from the stock in this terminal? Left: {}|Vendre depuis le stock du terminal ? Reste : {}
no_answer|No answer yet|Pas de réponse
no_answer_t|Sale {} is kept. Ask again now, or later from the menu.|La vente {} est gardée. Redemandez, ou plus tard au menu.
sold|Sold|Vendu
sold_t|Hand over the receipt.|Donnez le reçu au client.
sold_unsure|Check the receipt. If it is not whole, print a copy.|Vérifiez le reçu. S'il manque, imprimez une copie.
not_sold|Not sold|Non vendu
not_printed|Not printed|Non imprimé
np_paper_out|Paper ran out. Put in a new roll, then print again.|Plus de papier. Mettez un rouleau et réimprimez.
np_cover_open|The cover is open. Close it, then print again.|Capot ouvert. Fermez-le et réimprimez.
np_error|The printer stopped. Switch it off and on, then print again.|L'imprimante s'arrête. Rallumez-la et réimprimez.
pin_is|PIN|Code
show_pin_q|Show the PIN on the screen? Copy it out for the customer.|Afficher le code ? Recopiez-le pour le client.
cut|Sale was cut|Vente coupée
cut_print|Sale {}, {}: has the customer the receipt? If not, print a DUPLICATE.|Vente {}, {} : le client a-t-il le reçu ? Sinon, imprimez un DUPLICATA.
cut_ask|Sale {}, {}: the server has not answered. Ask it now?|Vente {}, {} : sans réponse du serveur. Demander ?
no_last|No sale to print again yet.|Aucune vente à réimprimer.
last_q|Print sale {} again, marked DUPLICATE? {}|Réimprimer la vente {}, marquée DUPLICATA ? {}
no_messages|No messages.|Aucun message.
sales|Sales|Ventes
total|Total|Total
unsynced|Not sent yet|Non envoyées
reprints|Reprints|Copies
release|Release|Version
slot|Slot|Côté
terminal|Terminal|Terminal
signal|Signal|Signal
battery|Battery|Batterie
time|Time|Heure
on_trial|on trial|à l'essai
e_no_float|Your float is too low. Top it up, then sell again.|Solde trop bas. Rechargez-le, puis vendez.
e_offline_amount|Too dear to sell without network. Pick a smaller one or wait.|Trop cher hors ligne. Prenez plus petit ou attendez.
e_offline_count|The limit of sales without network is reached. Wait for the network.|Limite de ventes hors ligne atteinte. Attendez le réseau.
e_offline_total|The limit of money without network is reached. Wait for the network.|Montant maximal hors ligne atteint. Attendez le réseau.
e_offline_age|Too long without network. Go where there is signal, then sell.|Trop longtemps sans réseau. Allez où il y a du signal.
e_no_stock|No voucher of this kind in stock. Pick another or wait for the network.|Plus de bon de ce type. Prenez un autre ou attendez.
e_unknown_product|This product is not sold any more. Pick another.|Ce produit n'est plus vendu. Prenez-en un autre.
e_journal_full|The sales memory is full. Wait for the network: it empties by itself.|Mémoire des ventes pleine. Attendez le réseau.
e_pending_sale|First finish the sale that waits: see the menu.|Finissez d'abord la vente en attente : voir menu.
e_spoiled|This voucher cannot be read. Nothing is charged. Sell another.|Bon illisible. Rien n'est débité. Vendez-en un autre.
e_unreadable|This voucher cannot be read now. Find the network, then print it.|Bon illisible à présent. Trouvez le réseau, puis imprimez.
e_conflict|The server has another sale under this number. Call your agent.|Le serveur a une autre vente sous ce numéro. Appelez votre agent.
e_price_changed|The price has changed, or your commission. Look again or try later.|Prix ou commission ont changé. Regardez ou réessayez.
e_no_vouchers|The operator has no vouchers now. Sell another, or try later.|L'opérateur n'a plus de bons. Essayez plus tard.
e_bad_recipient|This number is not known. Ask the customer and type it again.|Ce numéro est inconnu. Demandez au client et retapez-le.
e_supplier_refused|The supplier refuses this sale. Nothing is charged.|Le fournisseur refuse cette vente. Rien n'est débité.
e_supplier_down|The supplier cannot be reached. Nothing is charged. Try later.|Fournisseur injoignable. Rien n'est débité. Essayez plus tard.
e_restoring|The office is being restored. Sell from stock, or try later.|Le bureau est en cours de restauration. Vendez du stock ou réessayez.
e_blocked|This terminal is blocked. Call your agent.|Ce terminal est bloqué. Appelez votre agent.
e_other|Refused by the server ({}). Call your agent if it stays so.|Refusé par le serveur ({}). Appelez votre agent.
service|Needs service|Maintenance
s_config|The settings are missing or damaged. Bring this terminal to a technician.|Réglages absents ou abîmés. Portez ce terminal au technicien.
s_catalogue|The price list is missing or damaged. It comes back with the network.|Tarif absent ou abîmé. Il revient avec le réseau.
s_journal|The sales memory cannot be read. Do not sell. Call a technician.|Mémoire des ventes illisible. Ne vendez pas. Technicien !
r_duplicate|DUPLICATE|DUPLICATA
r_copy|Copy|Copie
r_serial|Serial|Série
r_valid|Valid until|Valable au
r_sale|Sale|Vente
r_thanks|Thank you|Merci
r_day|DAY REPORT|RAPPORT DU JOUR
r_offline|sold from stock|vendu du stock
m_pin|My PIN|Mon code
m_people|People|Équipe
owner|Owner|Patron
cashier|Cashier|Caissier
technician|Technician|Technicien
add|Add a person|Ajouter
name|Name|Nom
rename|Another name|Autre nom
remove|Remove|Retirer
pin_give|A new PIN|Nouveau code
pin_old|Your PIN as it is now|Votre code actuel
pin_new|The new PIN: {} to {} digits|Nouveau code : {} à {} chiffres
pin_again|The new PIN once more|Encore le nouveau code
pin_short|That PIN is too short. Nothing was changed.|Ce code est trop court. Rien n'a changé.
pin_easy|A thief tries that PIN first. Take another.|Un voleur essaie ce code d'abord. Prenez-en un autre.
pin_differs|The two PINs differ. Nothing was changed.|Les deux codes diffèrent. Rien n'a changé.
pin_kept|The new PIN counts from now on.|Le nouveau code vaut dès maintenant.
not_kept|The memory takes nothing. Nothing was changed. Call a technician.|Mémoire pleine. Rien n'a changé. Technicien !
remove_q|Remove {}? Past sales keep the name.|Retirer {} ? Ses ventes gardent son nom.
people_kept|Kept in this terminal.|Gardé dans ce terminal.
spell|Press a key again for its next letter.|Rappuyez pour la lettre suivante.
spell_on|B: next letter|B : lettre suivante
cancel|Cancel|Annuler
cancel_q|Cancel sale {}? Only if the customer has nothing of it. The office decides.|Annuler la vente {} ? Seulement si le client n'en a rien. Le bureau décide.
cancel_kept|Sale {}: the office is asked by itself. Sell nothing of it.|Vente {} : le bureau est redemandé. N'en vendez rien.
cancel_no|The office does not cancel it. Hand it to the customer.|Le bureau refuse. Remettez-la au client.
e_cancelled|This sale is cancelled. Nothing is charged.|Cette vente est annulée. Rien n'est débité.
r_cancelled|SALE CANCELLED|VENTE ANNULÉE
"""


class Words:
    """The texts in one language: `words(key, *filling)`."""

    def __init__(self, language: str) -> None:
        """An unknown `language` gives English: a terminal that speaks beats one that stops."""
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._column = LANGUAGES.index(self.language)

    def __call__(self, key: str, *filling: object) -> str:
        """The text of `key`; the key itself when there is none."""
        at = _TABLE.find("\n" + key + "|")
        if at < 0:
            return key
        at += len(key) + 2
        text = _TABLE[at : _TABLE.find("\n", at)].split("|")[self._column]
        return text.format(*filling) if filling else text

    def either(self, key: str, other: str, *filling: object) -> str:
        """The text of `key`, or that of `other` when there is none."""
        text = self(key, *filling)
        return self(other, *filling) if text == key else text


def keys() -> list[str]:
    """Every key of the table, for tests."""
    return [line.split("|")[0] for line in _TABLE.split("\n") if line]
